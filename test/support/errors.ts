import { expect } from 'vitest';
import { PermafrostError, type ErrorCode } from '../../src/core/errors.ts';

/** The PermafrostError that `work` rejects with; fails where it does not reject, or with another code. */
export async function rejection(work: Promise<unknown>, code: ErrorCode): Promise<PermafrostError> {
  const error: unknown = await work.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PermafrostError)) throw error;
  expect({ code: error.code, message: error.message }).toMatchObject({ code });
  return error;
}

/** Stands for any text that holds `part` (or matches it), inside an expected value. */
export const textWith = (part: string | RegExp): string => expect.stringMatching(part) as string;

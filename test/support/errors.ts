import { expect } from 'vitest';
import type { ErrorCode, PermafrostError } from '../../src/core/errors.ts';

/** The PermafrostError that `work` rejects with; fails where it does not reject, or with another code. */
export async function rejection(work: Promise<unknown>, code: ErrorCode): Promise<PermafrostError> {
  const error: unknown = await work.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  // By its name, as the built program has a class of its own.
  if (!(error instanceof Error) || error.name !== 'PermafrostError') throw error;
  const { code: found, message } = error as PermafrostError;
  expect({ code: found, message }).toMatchObject({ code });
  return error as PermafrostError;
}

/** Stands for any text that holds `part` (or matches it), inside an expected value. */
export const textWith = (part: string | RegExp): string => expect.stringMatching(part) as string;

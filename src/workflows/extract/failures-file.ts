import { join } from 'node:path';
import type { Failure } from '../../core/sample.ts';
import { removeSealed, writeSealed } from '../../store/format/seal-beside.ts';

/** The list of the images that failed in the last extraction, in the store; not there where none did. */
export const FAILURES_NAME = 'failures.csv';

/** A field of a CSV as RFC 4180 has it: a path may hold commas, quotes and line breaks. */
const field = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** Replaces the list at once. Throws STORE_WRITE. */
export async function writeFailures(store: string, failures: readonly Failure[]): Promise<void> {
  const path = join(store, FAILURES_NAME);
  if (failures.length === 0) return removeSealed(path);
  const rows = failures.map(({ path: image, code, reason }) => [image, code, reason].map(field).join(','));
  await writeSealed(path, [new TextEncoder().encode(['path,code,reason', ...rows, ''].join('\r\n'))]);
}

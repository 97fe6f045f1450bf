import { createHash } from 'node:crypto';
import type { StoredSample } from '../shard.ts';

/** Text that is hashed at once. */
const ROWS_AT_ONCE = 512;

/**
 * SHA-256, lower-case hex, of samples as they count: a line of JSON for each, `[path, label, split, sha256]`, in the
 * order of the list.
 */
export function labelsDigest(samples: Iterable<StoredSample>): string {
  const hash = createHash('sha256');
  let lines: string[] = [];
  for (const { path, label, split, sha256 } of samples) {
    lines.push(`${JSON.stringify([path, label, split, sha256])}\n`);
    if (lines.length < ROWS_AT_ONCE) continue;
    hash.update(lines.join(''));
    lines = [];
  }
  return hash.update(lines.join('')).digest('hex');
}

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../bench/faults/fuzz.mjs', import.meta.url));
/** More by hand: FUZZ_CASES=1000, or the script itself. */
const { FUZZ_CASES = '40', FUZZ_SEED = '1' } = process.env;

describe('files whose content is wrong and whose digests are right', () => {
  it('are read to an answer in numbers or to an error in words, in bounded time and memory', () => {
    // It fails where a reading ends in anything else, and names it.
    const told = execFileSync(process.execPath, [SCRIPT, '--cases', FUZZ_CASES, '--seed', FUZZ_SEED], {
      encoding: 'utf8',
    });
    console.log(told.trim().split('\n').at(-1));
    expect(told).toMatch(new RegExp(`^${FUZZ_CASES} cases, seed ${FUZZ_SEED}: [1-9][0-9]* readings, 0 findings$`, 'm'));
  }, 600_000);
});

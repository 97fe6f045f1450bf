import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../../src/core/digest.ts';
import {
  CONTENTS_TENSOR,
  readTrainedContents,
  trainedContents,
} from '../../../../src/store/read/heads/trained-contents.ts';

const digests = fc.array(fc.nat({ max: 500 })).map((numbers) => numbers.map((n) => sha256Hex(String(n))));

describe('the contents that a head was trained on', () => {
  it('are found, and no others, also after a trip through a tensor', () => {
    fc.assert(
      fc.property(digests, (trained) => {
        const made = trainedContents(trained);
        expect(made.size).toBe(new Set(trained).size);
        expect(made.words).toHaveLength(2 * made.size);
        const read = readTrainedContents({ shape: [made.size, 2], data: made.words }, 'x')!;
        for (let n = 0; n <= 500; n += 7) {
          const sha256 = sha256Hex(String(n));
          expect(made.has(sha256)).toBe(trained.includes(sha256));
          expect(read.has(sha256)).toBe(trained.includes(sha256));
        }
      }),
    );
  });

  it('stand as the first 16 hex digits of each SHA-256 in two words, ascending', () => {
    const { words } = trainedContents([`ffffffff00000001${'0'.repeat(48)}`, `0000000180000000${'0'.repeat(48)}`]);
    expect([...words]).toEqual([1, -(2 ** 31), -1, 1]);
  });

  it('are not known of files that do not tell, and damage is refused', () => {
    expect(readTrainedContents(undefined, 'x')).toBeUndefined();
    for (const [shape, data] of [
      [[2], Int32Array.of(1, 2)],
      [[1, 2], Float32Array.of(1, 2)],
      [[2, 2], Int32Array.of(-1, 0, 1, 0)],
      [[2, 2], Int32Array.of(1, 5, 1, 5)],
    ] as const)
      expect(() => readTrainedContents({ shape, data }, 'some.safetensors')).toThrow(
        new RegExp(`^some.safetensors: ${CONTENTS_TENSOR}`),
      );
  });
});

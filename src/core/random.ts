import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** The only source of randomness: seeded, the same sequence on every machine. */
export interface Random {
  /** A float in [0, 1) with 32 random bits. */
  uniform(): number;
  /** An integer in [0, n), n at most 2^31. */
  below(n: number): number;
  /** A sample of the standard normal distribution (Box and Muller, 1958). */
  normal(): number;
  /** Shuffles in place (Fisher and Yates) and returns the same array. */
  shuffle<T extends number[] | Int32Array | unknown[]>(items: T): T;
}

/** A generator for `seed`, an integer. */
export function random(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => (generator.next() >>> 0) / 2 ** 32;
  const below = (n: number): number => uniformInt(generator, 0, n - 1);
  return {
    uniform,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [items[i], items[j]] = [items[j]!, items[i]!];
      }
      return items;
    },
  };
}

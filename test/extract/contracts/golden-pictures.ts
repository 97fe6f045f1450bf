import { paint, type Picture } from '../../support/pictures.ts';

/** A triangle wave from 0 to `period`. */
const wave = (t: number, period: number): number => Math.abs((t % (2 * period)) - period);

/** Slopes, edges and grain, in whole numbers: the pictures of make_golden.py. */
export function goldenPicture(width: number, height: number): Picture {
  return paint(width, height, (x, y) =>
    [0, 1, 2].map((c) => {
      const slopes = wave(3 * x + 2 * y + 37 * c, 97) + wave(5 * x - 2 * y + 61 * c + 100_000, 61);
      const edges = ((Math.floor(x / 23) + 2 * Math.floor(y / 31) + c) % 5) * 13;
      return slopes + edges + ((x * 7919 + y * 104_729 + x * y * 31 + c * 17) % 29);
    }),
  );
}

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { paint, toSharp, type Picture } from './pictures.ts';
import { random } from '../../src/core/random.ts';

/** Stripes of one direction with a random width and colours: two classes that any network tells apart. */
function stripes(horizontal: boolean, seed: number): Picture {
  const generator = random(seed);
  const period = 8 + generator.below(16);
  const colours = [0, 1].map(() => [generator.below(256), generator.below(256), generator.below(256)]);
  return paint(120, 90, (x, y) => colours[Math.floor((horizontal ? y : x) / period) % 2]!);
}

/** Writes Train/ and Val/ with the classes `across` and `down`: `train` and `val` small PNG files a class. */
export async function stripedDataset(root: string, train: number, val: number): Promise<string> {
  let seed = 1;
  for (const [split, count] of [
    ['Train', train],
    ['Val', val],
  ] as const) {
    for (const label of ['across', 'down']) {
      const folder = join(root, split, label);
      await mkdir(folder, { recursive: true });
      for (let i = 0; i < count; i++) {
        await toSharp(stripes(label === 'across', seed++))
          .png()
          .toFile(join(folder, `${i}.png`));
      }
    }
  }
  return root;
}

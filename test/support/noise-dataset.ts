import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { random } from '../../src/core/random.ts';
import { paint, toSharp } from './pictures.ts';

/** A small PNG of noise, another one for each seed: nothing tells one class of them from another. */
export function noise(seed: number): Promise<Buffer> {
  const source = random(seed);
  return toSharp(paint(24, 24, () => [source.below(256), source.below(256), source.below(256)]))
    .png()
    .toBuffer();
}

/** Writes files below `root`: by path the seed of a noise, or text in place of a picture. */
export async function noiseDataset(root: string, files: Readonly<Record<string, number | string>>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'number' ? await noise(content) : content);
  }
  return root;
}

/** Files of two classes `a` and `b` below `prefix`, `count` each, all different. */
export const twoClasses = (count: number, prefix = '', from = 0): Record<string, number> =>
  Object.fromEntries(
    ['a', 'b'].flatMap((label, c) =>
      Array.from({ length: count }, (_, i) => [`${prefix}${label}/p${from + i}.png`, 1 + 1000 * c + from + i] as const),
    ),
  );

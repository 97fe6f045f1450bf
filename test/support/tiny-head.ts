import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { train as trainSource } from '../../src/workflows/train/train.ts';
import { extract } from '../../src/workflows/extract/extract.ts';
import { train } from '../../src/workflows/train/train.ts';
import { describedNet } from './described-net.ts';
import { noise, noiseDataset, twoClasses } from './noise-dataset.ts';

/** A head on a network of a few kilobytes that answers in milliseconds. */
export interface TinyHead {
  readonly file: string;
  readonly store: string;
  readonly dataset: string;
}

/** Trains a head of the classes `a` and `b`, or of others, on noise, below a folder. */
export async function tinyHead(
  root: string,
  {
    classes = ['a', 'b'],
    ...options
  }: { readonly classes?: readonly string[] } & Parameters<typeof trainSource>[1] = {},
): Promise<TinyHead> {
  const files = Object.fromEntries(
    Object.entries({ ...twoClasses(6, 'Train/'), ...twoClasses(2, 'Val/', 50) }).map(([path, seed]) => [
      path.replace(/\/([ab])\//, (_, label: string) => `/${classes['ab'.indexOf(label)]!}/`),
      seed,
    ]),
  );
  const dataset = await noiseDataset(join(root, 'Noise'), files);
  const store = join(root, 'store');
  const backbone = describedNet(join(root, 'network'), 'tiny', 1);
  await extract(dataset, { store, backbone, engine: 'onnxruntime', precision: 'fp32' });
  const { file } = await train(store, { head: 'lda', reject: 0, ...options });
  return { file: file!, store, dataset };
}

/** Small PNGs of noise, a different one for each path. */
export async function pictures(root: string, paths: readonly string[], seed = 9000): Promise<string[]> {
  return Promise.all(
    paths.map(async (path, i) => {
      const file = join(root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, await noise(seed + i));
      return file;
    }),
  );
}

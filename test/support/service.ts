import { join } from 'node:path';
import { extract } from '../../src/workflows/extract/extract.ts';
import { train } from '../../src/workflows/train/train.ts';
import { stripedDataset } from './small-dataset.ts';

/** A store with two heads on a network that is cut early: real, and fast. */
export interface ServedStore {
  readonly store: string;
  /** The head files. */
  readonly logistic: string;
  readonly centroid: string;
  /** The path of an image of a class, `across` or `down`. */
  readonly image: (label: string, i?: number) => string;
}

/** Makes it below `root`: images, features, heads. */
export async function servedStore(root: string): Promise<ServedStore> {
  const dataset = await stripedDataset(join(root, 'Stripes'), 6, 4);
  const store = join(root, 'stripes.permafrost');
  await extract(dataset, { store, engine: 'onnxruntime', cut: 'block1_pool' });
  const [logistic, centroid] = [
    await train(store, { head: 'logistic', pooling: 'avg' }),
    await train(store, { head: 'centroid', pooling: 'avg' }),
  ];
  return {
    store,
    logistic: logistic.file!,
    centroid: centroid.file!,
    image: (label, i = 0) => join(dataset, 'Val', label, `${i}.png`),
  };
}

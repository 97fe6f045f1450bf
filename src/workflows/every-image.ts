import { matrix } from '../core/matrix.ts';
import { SPLITS } from '../core/sample.ts';
import type { Manifest } from '../store/manifest.ts';
import { currentSets, smallPooling } from '../store/parts.ts';
import { loadFeatures, readSamples, type LoadedFeatures } from '../store/reader.ts';

/** Pooled features of every image (smallPooling), in the order of the paths. */
export async function everyImage(store: string, manifest: Manifest): Promise<LoadedFeatures> {
  const samples = await readSamples(store, manifest);
  const loaded = await loadFeatures(store, manifest, smallPooling(currentSets(store, manifest)[0]), SPLITS);
  const X = matrix(samples.length, loaded.get('train')!.X.cols);
  // Each split has its rows in the order of all samples.
  const taken = { train: 0, val: 0, test: 0 };
  samples.forEach(({ split }, i) => {
    const { data } = loaded.get(split)!.X;
    const at = taken[split]++ * X.cols;
    X.data.set(data.subarray(at, at + X.cols), i * X.cols);
  });
  return { X, samples };
}

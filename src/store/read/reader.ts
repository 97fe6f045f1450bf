// Until training reads a Store: the former functions, in terms of the new ones.
import type { Matrix } from '../../core/matrix.ts';
import type { FeaturePart, Pooling, Split } from '../../core/sample.ts';
import type { Manifest } from '../format/manifest.ts';
import type { StoredSample } from '../format/shard.ts';
import { storeFiles } from './file.ts';
import { readRows, type RowsOrigin } from './rows.ts';
import { givenList, storedList } from './samples.ts';

export { MAX_MATRIX_BYTES } from './rows.ts';

export interface LoadedFeatures {
  readonly X: Matrix;
  readonly samples: readonly StoredSample[];
}

export function originOf(store: string, manifest: Manifest, samples?: readonly StoredSample[]): RowsOrigin {
  const files = storeFiles(store);
  const list = samples === undefined ? storedList(files, manifest) : givenList(samples);
  return { path: store, manifest, files, ...list };
}

export async function readSamples(store: string, manifest: Manifest): Promise<StoredSample[]> {
  return [...(await originOf(store, manifest).samples())];
}

export async function loadFeatures(
  store: string,
  manifest: Manifest,
  parts: Pooling | readonly FeaturePart[],
  splits: readonly Split[],
  {
    view = 0,
    samples,
    shared = false,
  }: { view?: number; samples?: readonly StoredSample[]; shared?: boolean } = {},
): Promise<ReadonlyMap<Split, LoadedFeatures>> {
  const origin = originOf(store, manifest, samples);
  const all = await origin.samples();
  const loaded = new Map<Split, LoadedFeatures>();
  for (const split of splits) {
    const rows = await readRows(origin, { parts, splits: [split], views: view, memory: 'matrix', shared });
    const X = (view === 0 ? rows : rows.views[view - 1]!).matrix!;
    loaded.set(split, { X, samples: [...all].filter((sample) => sample.split === split) });
  }
  return loaded;
}

// Until training reads a Store: the former functions, in terms of the new ones.
import type { Rows } from '../../core/rows.ts';
import type { FeaturePart, Split } from '../../core/sample.ts';
import type { Manifest } from '../format/manifest.ts';
import type { StoredSample } from '../format/shard.ts';
import { originOf } from './reader.ts';
import { readRows, type StoredRows } from './rows.ts';

export interface FeatureStream extends Omit<StoredRows, 'matrix'> {
  readonly memory: number;
  readonly heldMemory: number;
  readonly passes: () => number;
}

export const splitCounts = (store: string, manifest: Manifest, all?: readonly StoredSample[]) =>
  originOf(store, manifest, all).counts();

export async function streamFeatures(
  store: string,
  manifest: Manifest,
  parts: readonly FeaturePart[],
  splits: readonly Split[],
  { samples, views = 0 }: { samples?: readonly StoredSample[] | undefined; views?: number } = {},
): Promise<FeatureStream> {
  const stream = await readRows(originOf(store, manifest, samples), {
    parts,
    splits,
    views,
    memory: 'blocks',
  });
  let read = 0;
  const counted = (rows: Rows): Rows => ({
    ...rows,
    async read(block, scales) {
      const X = await rows.read(block, scales);
      read += X.rows;
      return X;
    },
  });
  return {
    ...stream,
    ...counted(stream),
    views: stream.views.map(counted),
    memory: stream.peakBytes,
    heldMemory: stream.openBytes,
    passes: () => (stream.rows === 0 ? 0 : read / (stream.rows * (1 + views))),
  };
}

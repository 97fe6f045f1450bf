import type { Sample } from '../../core/sample.ts';
import { relabelled as underList } from '../../extract/dataset/dataset.ts';
import type { HeadDocument } from '../../store/read/head-file.ts';
import type { Manifest } from '../../store/format/manifest.ts';
import { readSamples } from '../../store/read/reader.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import type { Work } from '../work.ts';

/** The images of a store under the labels and splits that count. */
export interface LabelledSamples {
  /** In the order of their paths. */
  readonly samples: readonly StoredSample[];
  /** Those under another label or split than the store's, as they count. */
  readonly relabelled: readonly Sample[];
  /** Of those, images that are trained on and that the store holds out: they have no views. */
  readonly joinedTrain: number;
}

/**
 * The images of a store under the labels of a list, which means what it means to `extract`: labels by path, splits
 * where it gives some, the same notes. Without a list ('') they are as stored. The store is not changed. Throws
 * STORE_EMPTY, STORE_CORRUPT, and of a list DATASET_NOT_FOUND, DATASET_LAYOUT, DATASET_CLASSES.
 */
export async function labelledSamples(
  store: string,
  manifest: Manifest,
  labels: string,
  { listener }: Work = {},
): Promise<LabelledSamples> {
  const stored = await readSamples(store, manifest);
  if (labels === '') return { samples: stored, relabelled: [], joinedTrain: 0 };
  const { root, failures } = manifest.dataset;
  const dataset = { root, samples: stored, hasSplits: true, warnings: [], failures };
  const { samples, warnings } = await underList(dataset, labels);
  for (const warning of warnings) listener?.note?.(warning);
  const changed = samples.filter((sample, i) => sample !== stored[i]);
  return {
    samples,
    relabelled: changed.map(({ path, label, split }) => ({ path, label, split })),
    joinedTrain: samples.filter(({ split }, i) => split === 'train' && stored[i]!.split !== 'train').length,
  };
}

export { requireViews } from './labelled-store.ts';

/**
 * The images of a head's store under the labels that it was trained on, of which its file keeps those that were not the
 * store's; undefined where those are the stored ones, which need not be in memory.
 */
export async function samplesOfHead(
  store: string,
  manifest: Manifest,
  { trained: { relabelled = [] } }: HeadDocument,
): Promise<readonly StoredSample[] | undefined> {
  if (relabelled.length === 0) return undefined;
  const byPath = new Map(relabelled.map((sample) => [sample.path, sample]));
  return (await readSamples(store, manifest)).map((sample) => ({ ...sample, ...byPath.get(sample.path) }));
}

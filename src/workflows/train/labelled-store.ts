import { PermafrostError } from '../../core/errors.ts';
import type { Sample } from '../../core/sample.ts';
import { relabelled as underList } from '../../extract/dataset/dataset.ts';
import type { Store } from '../../store/open.ts';
import type { HeadDocument } from '../../store/read/heads/head-file.ts';
import { differingSettings, type FeatureSettings } from '../../store/format/fingerprint.ts';
import { tunedSets } from '../../store/read/tuned-sets.ts';
import type { Work } from '../work.ts';

/** A store under the labels and splits that count. */
export interface LabelledStore {
  readonly store: Store;
  /** The images under another label or split than the stored one, as they count. */
  readonly relabelled: readonly Sample[];
  /** Of those, images that are trained on and that the store holds out: they have no views. */
  readonly joinedTrain: number;
}

/**
 * A store under the labels of a list, as `extract` reads it: labels by path, perhaps splits. With '' it is as stored.
 * Nothing is written. Throws STORE_EMPTY, STORE_CORRUPT, and of a list DATASET_NOT_FOUND, DATASET_LAYOUT,
 * DATASET_CLASSES.
 */
export async function labelledStore(store: Store, labels: string, { listener }: Work = {}): Promise<LabelledStore> {
  if (labels === '') return { store, relabelled: [], joinedTrain: 0 };
  const { root, failures } = store.manifest.dataset;
  const stored = [...(await store.samples())];
  const dataset = { root, samples: stored, hasSplits: true, warnings: [], failures };
  const { samples, warnings } = await underList(dataset, labels);
  for (const warning of warnings) listener?.note?.(warning);
  const changed = samples.filter((sample, i) => sample !== stored[i]);
  return {
    store: store.withSamples(samples),
    relabelled: changed.map(({ path, label, split }) => ({ path, label, split })),
    joinedTrain: samples.filter(({ split }, i) => split === 'train' && stored[i]!.split !== 'train').length,
  };
}

/** Throws OPTION_INVALID where a list moves images into train that the store holds out: those have no views. */
export function requireViews(labels: string, joinedTrain: number): void {
  if (joinedTrain === 0) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `${labels} moves ${joinedTrain} images into train that the store holds out, and those have no views. Leave the views out, or extract with --labels and --views first.`,
  );
}

/**
 * A head's store with the features that it reads, which may be those of a tuned network, under the labels that it was
 * trained on, of which its file keeps those that were not the store's.
 */
export async function storeOfHead(
  store: Store,
  { settings, trained: { relabelled = [] } }: Pick<HeadDocument, 'settings' | 'trained'>,
): Promise<Store> {
  const own = storeOfSettings(store, settings);
  if (relabelled.length === 0) return own;
  const byPath = new Map(relabelled.map((sample) => [sample.path, sample]));
  return own.withSamples(Array.from(await own.samples(), (sample) => ({ ...sample, ...byPath.get(sample.path) })));
}

/** A store with the features of these settings, where they are of a tuned network that it has; else as it is. */
export function storeOfSettings(store: Store, settings: FeatureSettings): Store {
  const set = tunedSets(store).find(({ settings: own }) => differingSettings(settings, own).length === 0);
  return set === undefined ? store : store.throughNetwork(set.fingerprint);
}

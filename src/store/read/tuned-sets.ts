import { PermafrostError } from '../../core/errors.ts';
import type { CoveringSet, FeatureSet, StoreFolder } from '../format/manifest.ts';

/** The sets of tuned networks that hold every image of the data set beside its primary one, the first made first. */
export function tunedSets({ manifest }: StoreFolder): readonly FeatureSet[] {
  return (manifest.dataset.tuned ?? []).flatMap(
    ({ fingerprint }) => manifest.sets.find((set) => set.fingerprint === fingerprint) ?? [],
  );
}

/**
 * A store to be read as if another network had made the features of its data set: of a tuned network its set is the one
 * and only, and there are no views. To be read alone: who writes opens the store anew. Throws STORE_EMPTY where it
 * lacks the set.
 */
export function withTunedSet({ path, manifest }: StoreFolder, fingerprint: string): StoreFolder {
  const { tuned = [], others = [], sets, root, samples, failures } = manifest.dataset;
  const other = others.find((one) => one.sets.some((set) => set.fingerprint === fingerprint));
  if (other !== undefined) {
    // Whoever names a cut of a network means that cut.
    const first = (set: CoveringSet): number => (set.fingerprint === fingerprint ? 0 : 1);
    const named = { ...other, sets: other.sets.toSorted((a, b) => first(a) - first(b)) };
    return { path, manifest: { ...manifest, dataset: { root, ...named, samples, failures } } };
  }
  const covering = [...tuned, ...sets].find((one) => one.fingerprint === fingerprint);
  if (covering === undefined)
    throw new PermafrostError(
      'STORE_EMPTY',
      `${path} has no features of the network ${fingerprint} for all of its images. Run "permafrost extract ${path} --backbone-file FILE" with the file of that network, of a frozen one with --backbone.`,
    );
  return { path, manifest: { ...manifest, dataset: { root, sets: [covering], samples, failures } } };
}

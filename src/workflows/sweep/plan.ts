import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { SweepConfiguration } from '../../results/sweep-result.ts';
import { familiesOf, type HeadPlan } from '../../classify/cross-validation/families.ts';
import { encodeLabels } from '../../classify/labels.ts';
import { stratifiedKFold, type TrainVal } from '../../classify/evaluate/split.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import type { FeatureGroup, SweepFinding, SweepJob } from './pool.ts';

/** Part of each result's id: raise it when the same configuration would give other numbers than before. */
const RESULTS_VERSION = 3;

/** The training images, split into folds, and the configurations with their ids. */
export interface SweepPlan {
  readonly y: Int32Array;
  readonly classes: readonly string[];
  readonly folds: readonly TrainVal[];
  /** Digest of the training images: their paths, labels and contents. */
  readonly images: string;
  /** By id, in the order of the grid. */
  readonly configurations: ReadonlyMap<string, SweepConfiguration>;
}

/**
 * Deals the training images into stratified folds, copies of one image into the same one. `featuresOf` names the
 * features of a configuration. Throws FIT_INVALID where a fold would lack a class or hold out nothing.
 */
export function planSweep(
  samples: readonly StoredSample[],
  featuresOf: (configuration: SweepConfiguration) => string,
  { folds: nSplits, seed }: { readonly folds: number; readonly seed: number },
  configurations: readonly SweepConfiguration[],
): SweepPlan {
  const labels = samples.map(({ label }) => label);
  const { classes, indices } = encodeLabels(labels);
  const folds = stratifiedKFold(labels, {
    keys: samples.map(({ path }) => path),
    groups: samples.map(({ sha256 }) => sha256),
    nSplits,
    seed,
  });
  checkFolds(classes, indices, folds);
  const images = shortDigest(samples.map(({ path, label, sha256 }) => [path, label, sha256]));
  const idOf = (configuration: SweepConfiguration): string =>
    shortDigest([RESULTS_VERSION, images, featuresOf(configuration), nSplits, seed, configuration]);
  return { y: indices, classes, folds, images, configurations: new Map(configurations.map((one) => [idOf(one), one])) };
}

const shortDigest = (value: unknown): string => sha256Hex(canonicalJson(value)).slice(0, 16);

function checkFolds(classes: readonly string[], y: Int32Array, folds: readonly TrainVal[]): void {
  if (classes.length < 2) {
    throw new PermafrostError(
      'FIT_INVALID',
      `A sweep needs training images of two classes or more, found ${classes.length === 0 ? 'none' : classes.join()}. Add images of another class.`,
    );
  }
  const short = classes.filter((_, c) => folds.some(({ train }) => !train.some((i) => y[i] === c)));
  if (short.length > 0) {
    throw new PermafrostError(
      'FIT_INVALID',
      `Some fold has no training image of ${short.join(', ')}: a class needs two different images or more. Add images, or leave the class out.`,
    );
  }
  const empty = folds.filter(({ val }) => val.length === 0).length;
  if (empty > 0) {
    throw new PermafrostError(
      'FIT_INVALID',
      `${empty} of ${folds.length} folds hold out no image, for copies of one image stay together. Lower folds.`,
    );
  }
}

/** Configurations as jobs: one for each family of heads on each group of features, groups of wide features first. */
export function jobsOf(configurations: readonly SweepConfiguration[]): SweepJob[] {
  const groups = new Map<string, { readonly group: FeatureGroup; readonly plans: HeadPlan[] }>();
  for (const { head, params, ...group } of configurations) {
    const key = canonicalJson(group);
    const found = groups.get(key) ?? { group, plans: [] };
    found.plans.push({ name: head, params });
    groups.set(key, found);
  }
  const width = ({ pooling, pca }: FeatureGroup): number => pca || (pooling === 'flatten' ? Infinity : 4096);
  return [...groups.values()]
    .sort((a, b) => (width(a.group) < width(b.group) ? 1 : width(a.group) > width(b.group) ? -1 : 0))
    .flatMap(({ group, plans }) => familiesOf(plans).map((family) => ({ group, family })));
}

/** The id of what a worker answers for. Each configuration becomes text once: there may be 20,000 of them. */
export function findingIds(asked: ReadonlyMap<string, SweepConfiguration>): (finding: SweepFinding) => string {
  const ids = new Map([...asked].map(([id, one]) => [canonicalJson(one), id]));
  return ({ group, plan: { name, params } }) => {
    const wanted = canonicalJson({ head: name, params, ...group });
    const id = ids.get(wanted);
    if (id === undefined) throw new Error(`a worker answered for a configuration that it was not asked for: ${wanted}`);
    return id;
  };
}

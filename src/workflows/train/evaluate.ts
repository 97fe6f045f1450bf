import { join } from 'node:path';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { Confusion, HeadResult, Mistake } from '../../results/head-result.ts';
import type { FeaturePart, Pooling, Sample, Split } from '../../core/sample.ts';
import type { FittedHead, Head } from '../../classify/head.ts';
import type { Reject } from '../../classify/novelty/reject.ts';
import { headEntry, type HeadOptions } from '../../classify/heads/index.ts';
import { pcaHead } from '../../classify/heads/pca-head.ts';
import * as metrics from '../../classify/evaluate/metrics.ts';
import { fitOnViews } from '../../classify/on-views.ts';
import {
  applyNormalizer,
  fitNormalizer,
  type Normalization,
  type Normalizer,
} from '../../classify/normalize.ts';
import { tally, type Tally } from '../../classify/evaluate/tally.ts';
import type { HeadPart } from '../../store/read/head-file.ts';
import type { Manifest } from '../../store/format/manifest.ts';
import { partsText, storedParts } from '../../store/read/parts.ts';
import { loadFeatures, readSamples, type LoadedFeatures } from '../../store/read/reader.ts';
import type { StoredSample } from '../../store/format/shard.ts';

/** Features to train on and to validate on. */
export interface TrainingData {
  /** What they are, in words; see HeadResult. */
  readonly pooling: string;
  /** What stands side by side in them. */
  readonly parts: readonly HeadPart[];
  readonly train: LoadedFeatures;
  /** Other views of the training images, row i of the image of train.samples[i]. */
  readonly views?: readonly Matrix[];
  readonly val: LoadedFeatures;
  readonly validatedOn: Split;
}

/** What to fit. */
export interface HeadPlan {
  readonly head: string;
  readonly options?: HeadOptions;
  readonly normalize: Normalization;
  /**
   * Principal components of the normalised features that the head is fitted on; 0, the default, for the features
   * themselves.
   */
  readonly pca?: number;
}

export interface TrainedHead {
  readonly head: FittedHead;
  readonly normalizer: Normalizer;
  /**
   * Of a head that left its training rows in the store: their digest, and the views of each that are among them
   * (streamed-rows.ts).
   */
  readonly rows?: { readonly digest: string; readonly views: number };
  /** What stands side by side in the features. */
  readonly parts: readonly HeadPart[];
  /** Images that counted under another label or split than the store's (labelled-samples.ts). */
  readonly relabelled?: readonly Sample[];
  /** When it answers "unknown"; without it, never. */
  readonly reject?: Reject;
  readonly result: Omit<HeadResult, 'file'>;
  /** Classes of the validated images, true and predicted: indices into the head's. */
  readonly judged: { readonly truth: Int32Array; readonly guess: Int32Array };
  readonly confusion: Confusion;
  /** The ten surest. */
  readonly mistakes: readonly Mistake[];
}

/**
 * The split to validate on: `val` where there is one, else `test`. Throws FIT_INVALID where a store has nothing to
 * train or validate on.
 */
export function validationSplit(store: string, samples: readonly StoredSample[]): Split {
  const counts: Record<Split, number> = { train: 0, val: 0, test: 0 };
  for (const { split } of samples) counts[split]++;
  return validationOf(store, counts);
}

/** As validationSplit, from the number of images of each split. */
export function validationOf(store: string, { train, val, test }: Readonly<Record<Split, number>>): Split {
  if (train > 0 && val + test > 0) return val > 0 ? 'val' : 'test';
  throw new PermafrostError(
    'FIT_INVALID',
    `${store} has ${train + val + test} images with features and needs both training and validation images. Look with "permafrost inspect".`,
  );
}

/**
 * The parts that are asked for, as a head file keeps them. Throws STORE_EMPTY, and OPTION_INVALID where the store has
 * no such part.
 */
export function headPartsOf(
  store: string,
  manifest: Manifest,
  features: Pooling | readonly FeaturePart[],
): HeadPart[] {
  return storedParts(store, manifest, features).map(({ cut, pooling, width }) => ({ cut, pooling, width }));
}

/** What of a store is trained on. */
export interface TrainingWish {
  /** Views of each training image, beside the image itself; by default 0. */
  readonly views?: number;
  /** The store's images under the labels that count; by default as stored. */
  readonly samples?: readonly StoredSample[];
}

/**
 * Loads features of a store to train on, of one pooling of the primary set or of parts side by side. Throws
 * STORE_EMPTY, FIT_INVALID, and OPTION_INVALID where the store has no such part.
 */
export async function trainingData(
  store: string,
  manifest: Manifest,
  features: Pooling | readonly FeaturePart[],
  { views = 0, samples: given }: TrainingWish = {},
): Promise<TrainingData> {
  const samples = given ?? (await readSamples(store, manifest));
  const validatedOn = validationSplit(store, samples);
  const parts = headPartsOf(store, manifest, features);
  const loaded = await loadFeatures(store, manifest, parts, ['train', validatedOn], { samples });
  const looks: Matrix[] = [];
  for (let view = 1; view <= views; view++)
    looks.push((await loadFeatures(store, manifest, parts, ['train'], { view, samples })).get('train')!.X);
  return {
    pooling: partsText(store, manifest, parts),
    parts,
    train: loaded.get('train')!,
    ...(looks.length > 0 && { views: looks }),
    val: loaded.get(validatedOn)!,
    validatedOn,
  };
}

/** Probability of each class of `head` for raw features X. */
export function probabilities(
  { head, normalizer }: Pick<TrainedHead, 'head' | 'normalizer'>,
  X: Matrix,
): Promise<Matrix> {
  return head.predictProba(applyNormalizer(normalizer, X));
}

/** The head of a plan, not fitted: behind its principal components, where it has some. Throws OPTION_INVALID. */
export function headOf({ head, options, pca }: HeadPlan): Head {
  const plain = headEntry(head).create(options ?? {});
  return pca ? pcaHead(pca, plain) : plain;
}

/**
 * Fits one head, on all views of the training images, and measures it on the validation images. A normaliser is fitted
 * on the images themselves. Times are wall-clock, features in memory.
 */
export async function trainHead(
  plan: HeadPlan,
  data: TrainingData,
  signal?: AbortSignal,
): Promise<TrainedHead> {
  const { train, views = [], val, validatedOn, pooling, parts } = data;
  const maker = headOf(plan);
  const started = performance.now();
  const normalizer = fitNormalizer(
    plan.normalize,
    train.X,
    parts.map(({ width }) => width),
  );
  const labels = train.samples.map(({ label }) => label);
  const [X, ...looks] = [train.X, ...views].map((look) => applyNormalizer(normalizer, look));
  const head = await fitOnViews(maker, X!, looks, labels, signal && { signal });
  const fitted = performance.now();
  const P = await probabilities({ head, normalizer }, val.X);
  const times = { fitMs: fitted - started, predictMs: performance.now() - fitted };
  const told = tally(head.classes, val.samples.length, MISTAKES);
  told.add(
    P,
    val.samples.map(({ label }) => label),
    [...val.samples.keys()],
  );
  const pathOf = (row: number): string => val.samples[row]!.path;
  const fit = { head, normalizer, parts, trained: labels.length, validatedOn, times };
  return measured({ ...plan, pooling }, { ...fit, told, pathOf });
}

/** Surest mistakes that are told of a head. */
export const MISTAKES = 10;

/** A fitted head and what it said of the validated images, in the order of their paths. */
export interface Answers extends Pick<TrainedHead, 'head' | 'normalizer' | 'parts'> {
  readonly told: Tally;
  /** The path of the validated image of a row of the tally; asked for the mistakes alone. */
  readonly pathOf: (row: number) => string;
  readonly validatedOn: Split;
  /** Images trained on. */
  readonly trained: number;
  readonly times: Pick<HeadResult, 'fitMs' | 'predictMs'>;
}

/** A fitted head with its figures on the validated images. */
export function measured(
  plan: HeadPlan & { readonly pooling: string },
  { head, normalizer, parts, told, pathOf, validatedOn, trained, times }: Answers,
): TrainedHead {
  const { classes } = head;
  const { truth, guess } = told;
  const confusion = metrics.confusionMatrix(truth, guess, classes.length);
  const k = classes.length;
  return {
    head,
    normalizer,
    parts,
    result: {
      name: head.name,
      pooling: plan.pooling,
      normalize: plan.normalize,
      params: head.params,
      changed: Object.fromEntries(
        Object.entries(head.params).filter(
          ([key, value]) => headEntry(head.name).options[key]?.default !== value,
        ),
      ),
      accuracy: metrics.accuracy(truth, guess),
      interval: metrics.wilsonInterval(metrics.hits(truth, guess), truth.length),
      balancedAccuracy: metrics.balancedAccuracy(metrics.classScores(confusion, k)),
      logLoss: told.logLoss(),
      ...times,
      converged: head.converged,
      iterations: head.iterations,
      ...(head.learningCurve && { learningCurve: head.learningCurve }),
      notes: head.notes,
      trained,
      validated: truth.length,
      validatedOn,
    },
    judged: { truth, guess },
    confusion: { classes, counts: classes.map((_, c) => [...confusion.subarray(c * k, (c + 1) * k)]) },
    mistakes: told.mistakes().map((mistake) => ({
      path: pathOf(mistake.row),
      label: classes[mistake.truth]!,
      predicted: classes[mistake.predicted]!,
      probability: mistake.probability,
    })),
  };
}

/**
 * Where a head is kept when the user names no file: in the store, named by what it is and a digest of its settings and
 * of labels that are not the store's.
 */
export function defaultHeadFile(
  store: string,
  {
    result: { name, pooling, normalize, params },
    relabelled = [],
  }: Pick<TrainedHead, 'result' | 'relabelled'>,
): string {
  const labels = relabelled.length > 0 && { relabelled };
  const digest = sha256Hex(canonicalJson({ params, normalize, ...labels })).slice(0, 8);
  // A colon is no part of a file's name everywhere.
  const features = pooling.replaceAll(':', '.').replaceAll(',', '+');
  return join(store, 'heads', `${name}-${features}-${normalize}-${digest}.safetensors`);
}

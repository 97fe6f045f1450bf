import { PermafrostError } from '../../core/errors.ts';
import { matrixRows, type Rows } from '../../core/rows.ts';
import type { FeaturePart, Pooling, Split } from '../../core/sample.ts';
import type { Manifest } from '../../store/format/manifest.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import { splitCounts, streamFeatures, type FeatureStream } from '../../store/read/feature-stream.ts';
import type { HeadPart } from '../../store/read/head-file.ts';
import { partsText, storedParts } from '../../store/read/parts.ts';
import { loadFeatures, MAX_MATRIX_BYTES, type LoadedFeatures } from '../../store/read/reader.ts';
import { BASE_BYTES, inGigabytes } from '../memory.ts';

/** What of a store is trained on, and within how much memory. */
export interface TrainingRequest {
  /** The command, for messages. */
  readonly owner: string;
  readonly store: string;
  readonly manifest: Manifest;
  /** The store's images under labels that count in place of the stored ones; undefined: those. */
  readonly samples: readonly StoredSample[] | undefined;
  /** One pooling of the primary set, or parts side by side. */
  readonly features: Pooling | readonly FeaturePart[];
  /** Stored views of each training image to train on too. */
  readonly views: number;
  /** Bytes; undefined: no bound. */
  readonly bound: number | undefined;
}

/** Rows of one split. */
export type SplitRows = Rows &
  Pick<FeatureStream, 'labels' | 'places' | 'digest' | 'memory' | 'samplesOf'> & {
    readonly views: readonly Rows[];
  };

/** Features to train on and to validate on. */
export interface TrainingData extends Pick<TrainingRequest, 'owner' | 'bound'> {
  /** What they are, in words; see HeadResult. */
  readonly pooling: string;
  /** What stands side by side in them. */
  readonly parts: readonly HeadPart[];
  readonly train: SplitRows;
  readonly val: SplitRows;
  readonly validatedOn: Split;
  /** Why they are read in blocks; undefined where they are in memory. */
  readonly reason: string | undefined;
}

/**
 * The split to validate on: `val` where there is one, else `test`. Throws FIT_INVALID where a store has nothing to
 * train or validate on.
 */
export function validationSplit(store: string, { train, val, test }: Readonly<Record<Split, number>>): Split {
  if (train > 0 && val + test > 0) return val > 0 ? 'val' : 'test';
  throw new PermafrostError(
    'FIT_INVALID',
    `${store} has ${train + val + test} images with features and needs both training and validation images. Look with "permafrost inspect".`,
  );
}

/**
 * The features to train on and to validate on: in memory where there is room, as they are stored and normalised, else
 * in blocks. Throws STORE_EMPTY, FIT_INVALID, and OPTION_INVALID where the store has no such part.
 */
export async function trainingData(request: TrainingRequest): Promise<TrainingData> {
  const { owner, store, manifest, samples, features, views, bound } = request;
  const parts = storedParts(store, manifest, features).map(({ cut, pooling, width }) => ({
    cut,
    pooling,
    width,
  }));
  const images = await splitCounts(store, manifest, samples);
  const validatedOn = validationSplit(store, images);
  const about = { owner, bound, parts, pooling: partsText(store, manifest, parts), validatedOn };
  const reason = reasonForBlocks(parts, {
    trained: images.train * (1 + views),
    validated: images[validatedOn],
    views,
    bound,
  });
  if (reason !== undefined) {
    const train = await streamFeatures(store, manifest, parts, ['train'], { samples, views });
    return {
      ...about,
      train,
      val: await streamFeatures(store, manifest, parts, [validatedOn], { samples }),
      reason,
    };
  }
  const given = samples && { samples };
  const loaded = await loadFeatures(store, manifest, parts, ['train', validatedOn], { ...given });
  const others: Rows[] = [];
  for (let view = 1; view <= views; view++)
    others.push(
      matrixRows((await loadFeatures(store, manifest, parts, ['train'], { view, ...given })).get('train')!.X),
    );
  return {
    ...about,
    train: inMemory(loaded.get('train')!, others),
    val: inMemory(loaded.get(validatedOn)!, []),
    reason,
  };
}

/** Why features are to be read in blocks; undefined where they are loaded whole. */
function reasonForBlocks(
  parts: readonly HeadPart[],
  {
    trained,
    validated,
    views,
    bound,
  }: Readonly<Record<'trained' | 'validated' | 'views', number>> & { readonly bound: number | undefined },
): string | undefined {
  const rowBytes = 4 * parts.reduce((sum, { width }) => sum + width, 0);
  const largest = rowBytes * Math.max(trained, validated);
  if (largest > MAX_MATRIX_BYTES)
    return `${inGigabytes(largest)} of one split are above the ${inGigabytes(MAX_MATRIX_BYTES)} that are read at once`;
  // As they are stored, and normalised; with views once more, below each other.
  const whole = BASE_BYTES + rowBytes * (2 * (trained + validated) + (views > 0 ? trained : 0));
  return bound !== undefined && whole > bound
    ? `in memory they would take about ${inGigabytes(whole)}, above the ${inGigabytes(bound)} allowed`
    : undefined;
}

function inMemory({ X, samples }: LoadedFeatures, views: readonly Rows[]): SplitRows {
  return {
    ...matrixRows(X),
    labels: samples.map(({ label }) => label),
    places: Int32Array.from(samples.keys()),
    views,
    digest: '',
    memory: 0,
    samplesOf: (places) => Promise.resolve(new Map(Array.from(places, (place) => [place, samples[place]!]))),
  };
}

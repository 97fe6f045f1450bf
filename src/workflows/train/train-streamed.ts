import { PermafrostError } from '../../core/errors.ts';
import { blocksOf, joinedBlocks, type Rows } from '../../core/rows.ts';
import type { FeaturePart, Pooling } from '../../core/sample.ts';
import type { FittedHead } from '../../classify/head.ts';
import { createHead, HEAD_NAMES } from '../../classify/heads/index.ts';
import { fitOnViews } from '../../classify/on-views.ts';
import { fitNormalizer, normalizedRows } from '../../classify/normalize.ts';
import { tally, type Tally } from '../../classify/evaluate/tally.ts';
import { splitCounts, streamFeatures, type FeatureStream } from '../../store/read/feature-stream.ts';
import type { Manifest } from '../../store/format/manifest.ts';
import { partsText } from '../../store/read/parts.ts';
import { MAX_MATRIX_BYTES } from '../../store/read/reader.ts';
import {
  headOf,
  headPartsOf,
  measured,
  MISTAKES,
  validationOf,
  type HeadPlan,
  type TrainedHead,
} from './evaluate.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import type { Work } from '../work.ts';
import { BASE_BYTES, checkStreamBound, inGigabytes } from '../memory.ts';
import { watched } from './watched-stream.ts';

/** Where the features are, and how much memory there is for them. */
export interface StreamedPlan extends HeadPlan {
  /** The command, for messages; by default train. */
  readonly owner?: string;
  readonly store: string;
  readonly manifest: Manifest;
  /** The store's images under labels that count in place of the stored ones; undefined: those. */
  readonly samples: readonly StoredSample[] | undefined;
  /** One pooling of the primary set, or parts side by side. */
  readonly features: Pooling | readonly FeaturePart[];
  /** Stored views of each training image to train on too; by default none. */
  readonly views?: number;
  /** Bytes; undefined: no bound. */
  readonly bound: number | undefined;
}

/** Why features are to be read in streams; undefined where they are loaded whole. */
export async function reasonToStream({
  store,
  manifest,
  samples,
  features,
  views = 0,
  bound,
}: Omit<StreamedPlan, keyof HeadPlan | 'owner'>): Promise<string | undefined> {
  const images = await splitCounts(store, manifest, samples);
  const rowBytes = 4 * headPartsOf(store, manifest, features).reduce((sum, { width }) => sum + width, 0);
  const trained = rowBytes * images.train * (1 + views);
  const validated = rowBytes * images[validationOf(store, images)];
  const largest = Math.max(trained, validated);
  if (largest > MAX_MATRIX_BYTES)
    return `${inGigabytes(largest)} of one split are above the ${inGigabytes(MAX_MATRIX_BYTES)} that are read at once`;
  // As they are stored, and normalised; with views once more, below each other.
  const whole = BASE_BYTES + 2 * (trained + validated) + (views > 0 ? trained : 0);
  return bound !== undefined && whole > bound
    ? `in memory they would take about ${inGigabytes(whole)}, above the ${inGigabytes(bound)} allowed`
    : undefined;
}

/** What a head says of every row of a stream, block by block; the rows of the tally are in the order of the paths. */
export async function tallyStream(
  head: FittedHead,
  source: Rows,
  { labels, places }: Pick<FeatureStream, 'labels' | 'places'>,
  mistakes: number,
): Promise<Tally> {
  const told = tally(head.classes, source.rows, mistakes);
  for await (const { start, X } of blocksOf(joinedBlocks(source))) {
    const end = start + X.rows;
    told.add(await head.predictProba(X), labels.slice(start, end), places.subarray(start, end));
  }
  return told;
}

/**
 * Fits one head on features that are read from the store a shard at a time, and measures it on the validation images
 * likewise. Throws OPTION_INVALID for a head that cannot be fitted so, or a bound below what a shard takes; what
 * reading and the fit throw.
 */
export async function trainStreamed(plan: StreamedPlan, work: Work = {}): Promise<TrainedHead> {
  const { signal } = work;
  const { store, manifest, samples, normalize, views = 0, bound } = plan;
  const parts = headPartsOf(store, manifest, plan.features);
  const maker = headOf(plan);
  if (maker.inMemoryOnly !== undefined) {
    const able = HEAD_NAMES.filter((name) => createHead(name).inMemoryOnly === undefined);
    throw new PermafrostError(
      'OPTION_INVALID',
      `The head "${maker.name}"${plan.pca ? ' on principal components' : ''} cannot be trained on features that are read in streams: ${maker.inMemoryOnly}. Allow more with --memory${parts.some(({ pooling }) => pooling === 'flatten') ? ', use --pooling avg' : ''}, or take another head (${able.join(', ')}).`,
    );
  }
  const validatedOn = validationOf(store, await splitCounts(store, manifest, samples));
  const [train, val] = [
    await streamFeatures(store, manifest, parts, ['train'], { samples, views }),
    await streamFeatures(store, manifest, parts, [validatedOn], { samples }),
  ];
  const kept = maker.bytesOf?.({ rows: train.rows * (1 + views), cols: train.cols, inMemory: false }) ?? 0;
  const memory = train.memory + val.memory + kept;
  checkStreamBound(plan.owner ?? 'train', bound, memory);
  const looked = views > 0 ? ` on ${views} views` : '';
  work.listener?.note?.(
    `Training ${plan.head}${looked} in streams takes about ${inGigabytes(BASE_BYTES + memory)}.`,
  );

  const started = performance.now();
  const known = watched(train, (pass) => `training ${plan.head}, pass ${pass}`, work);
  const normalizer = await fitNormalizer(
    normalize,
    known,
    parts.map(({ width }) => width),
  );
  const [source, ...looks] = [known, ...known.views].map((look) => normalizedRows(normalizer, look));
  const head = await fitOnViews(maker, source!, looks, train.labels, signal && { signal });
  const fitted = performance.now();
  const judged = normalizedRows(
    normalizer,
    watched(val, (pass) => `validating, pass ${pass}`, work),
  );
  const told = await tallyStream(head, judged, val, MISTAKES);
  const mistaken = await val.samplesOf(told.mistakes().map(({ row }) => row));
  const times = { fitMs: fitted - started, predictMs: performance.now() - fitted };
  const trained = measured(
    { ...plan, pooling: partsText(store, manifest, parts) },
    {
      head,
      normalizer,
      parts,
      told,
      trained: train.rows,
      pathOf: (row) => mistaken.get(row)!.path,
      validatedOn,
      times,
    },
  );
  return head.leavesRows ? { ...trained, rows: { digest: train.digest, views } } : trained;
}

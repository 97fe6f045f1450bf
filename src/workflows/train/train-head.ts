import { PermafrostError } from '../../core/errors.ts';
import { blocksOf, joinedBlocks, type Rows } from '../../core/rows.ts';
import { tally, type Tally } from '../../classify/evaluate/tally.ts';
import type { FittedHead, Head } from '../../classify/head.ts';
import { createHead, HEAD_NAMES } from '../../classify/heads/index.ts';
import { scaledHead } from '../../classify/heads/scaled-head.ts';
import { fitNormalizer, normalizedRows } from '../../classify/normalize.ts';
import { fitOnViews } from '../../classify/on-views.ts';
import { inGigabytes } from '../../core/words.ts';
import { BASE_BYTES, checkStreamBound } from '../memory.ts';
import type { Work } from '../work.ts';
import type { StoredRows } from '../../store/read/rows.ts';
import type { TrainingData } from './data.ts';
import { figuresOf } from './figures.ts';
import type { OutOfFoldWork } from './judge-out-of-fold.ts';
import { headOf, type TrainingPlan } from './plan.ts';
import type { TrainedHead } from './trained-head.ts';
import { watched } from './watched-rows.ts';

/** Surest mistakes that are reported of a head. */
const MISTAKES = 10;

/**
 * Fits a head on the training images and their views, and measures it on the validation images, its probabilities
 * scaled by a temperature where one is given. `refits` of all training images save what fits share. Times include
 * reading. Throws OPTION_INVALID for a head that cannot be fitted in blocks
 * or a bound below what that takes, and what reading and fit throw.
 */
export async function trainHead(
  plan: TrainingPlan,
  data: TrainingData,
  work: Work = {},
  { refits, temperature, preparedMs = 0 }: Partial<OutOfFoldWork> = {},
): Promise<TrainedHead> {
  const { train, val, parts, pooling, backbone, validatedOn, leftOut } = data;
  if (train.matrix === undefined) checkBlocks(headOf(plan), plan, data, work);
  const started = performance.now();
  const isPrepared = refits !== undefined && train.matrix !== undefined;
  const { normalizer, head: plain } = isPrepared
    ? { normalizer: refits.normalizer, head: await refits.whole() }
    : await fitOnAll(plan, data, work);
  const head = scaledHead(plain, temperature);
  const fitted = performance.now();
  const [validated] = watched([val], (pass) => `validating, pass ${pass}`, work);
  const answers = await tallyRows(head, normalizedRows(normalizer, validated!), val, MISTAKES);
  const mistaken = await val.samplesOf(answers.mistakes().map(({ row }) => row));
  const figures = figuresOf(head, {
    pooling,
    ...(backbone !== undefined && { backbone }),
    normalize: plan.normalize,
    tally: answers,
    pathOf: (row) => mistaken.get(row)!.path,
    validatedOn,
    trained: train.rows,
    leftOut,
    fitMs: fitted - started + (isPrepared ? preparedMs : 0),
    predictMs: performance.now() - fitted,
  });
  const rows = head.leavesRows && { digest: train.digest, views: train.views.length };
  return { head, normalizer, parts, ...figures, ...(rows && { rows }) };
}

/** The head of a plan on the training images and their views; the normaliser learns of the images alone. */
async function fitOnAll(plan: TrainingPlan, { train, parts }: TrainingData, work: Work) {
  const [images, ...others] = watched([train, ...train.views], (pass) => `training ${plan.head}, pass ${pass}`, work);
  const widths = parts.map(({ width }) => width);
  const normalizer = await fitNormalizer(plan.normalize, images!, widths);
  const views = others.map((view) => normalizedRows(normalizer, view));
  const { signal } = work;
  const rows = normalizedRows(normalizer, images!);
  return { normalizer, head: await fitOnViews(headOf(plan), rows, views, train.labels, signal && { signal }) };
}

/**
 * What a head says of all rows, which are normalised; the rows of the tally are in the order of the paths. Classes that
 * it does not know, for they lost all their training images, are counted as wrong.
 */
export async function tallyRows(
  head: FittedHead,
  rows: Rows,
  { labels, places }: Pick<StoredRows, 'labels' | 'places'>,
  mistakes: number,
): Promise<Tally> {
  const others = [...new Set(labels)].filter((label) => !head.classes.includes(label)).sort();
  const answers = tally(head.classes, rows.rows, mistakes, others);
  for await (const { start, X } of blocksOf(joinedBlocks(rows))) {
    const end = start + X.rows;
    answers.add(await head.predictProba(X), labels.slice(start, end), places.subarray(start, end));
  }
  return answers;
}

/** Reports what fitting in blocks takes. Throws OPTION_INVALID where the head cannot, or the memory has no room. */
function checkBlocks(
  maker: Head,
  plan: TrainingPlan,
  { owner, bound, train, val, parts }: TrainingData,
  { listener }: Work,
): void {
  if (maker.inMemoryOnly !== undefined) {
    const able = HEAD_NAMES.filter((name) => createHead(name).inMemoryOnly === undefined);
    throw new PermafrostError(
      'OPTION_INVALID',
      `The head "${maker.name}"${plan.pca ? ' on principal components' : ''} cannot be trained on features that are read in streams: ${maker.inMemoryOnly}. Allow more with --memory${parts.some(({ pooling }) => pooling === 'flatten') ? ', use --pooling avg' : ''}, or take another head (${able.join(', ')}).`,
    );
  }
  const views = train.views.length;
  const kept = maker.bytesOf?.({ rows: train.rows * (1 + views), cols: train.cols, inMemory: false }) ?? 0;
  const memory = train.peakBytes + val.peakBytes + kept;
  checkStreamBound(owner, bound, memory);
  listener?.note?.(
    `Training ${plan.head}${views > 0 ? ` on ${views} views` : ''} in streams takes about ${inGigabytes(BASE_BYTES + memory)}.`,
  );
}

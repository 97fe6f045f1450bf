import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Progress } from '../../core/listener.ts';
import type { Matrix } from '../../core/matrix.ts';
import { byCrossValidation } from '../../classify/cross-validation/choice.ts';
import { compareWithBest } from '../../classify/cross-validation/compare.ts';
import type { AnswersResult, HeadResult, RunResult } from '../../results/head-result.ts';
import { openStore } from '../../store/open.ts';
import { openLooks } from '../../store/format/validation-looks.ts';
import { storedNetworks } from '../../store/read/stored-networks.ts';
import type { RunOptions } from '../extract/options.ts';
import { memoryBound } from '../memory.ts';
import { trainingData, type TrainingData, type TrainingRequest } from '../train/data.ts';
import { keepAnswers } from '../train/answers/keep-answers.ts';
import { keepHead } from '../train/files/head-files.ts';
import { heldOutRows, type HeldOutRows } from '../train/held-out-rows.ts';
import { judgeOutOfFold, refitsOfPlan, type OutOfFoldWork } from '../train/judge-out-of-fold.ts';
import { headOf, type TrainingPlan } from '../train/plan.ts';
import { withReject } from '../train/reject.ts';
import { scoresOfBest } from '../train/score.ts';
import type { TrainedHead } from '../train/trained-head.ts';
import { trainOnViews, withoutViews } from '../train/views-effect.ts';
import type { Work } from '../work.ts';
import { RUN_HEADS, SLOW_HEADS, tasksOfRun, type RunTask, type TaskGroup } from './tasks.ts';

/** A head that was trained, without what it holds: only the best is kept whole. */
type Figures = Pick<TrainedHead, 'result' | 'judged'> & {
  /** Its file, where each head is kept. */
  readonly file?: string;
};

interface Best {
  readonly trained: TrainedHead;
  readonly plan: TrainingPlan;
  readonly features: TaskGroup['features'];
  /** What it said out of fold, where it was judged so. */
  readonly outOfFold: OutOfFoldWork;
  /** Its features, while they are there. */
  readonly group: Group | undefined;
}

/** What became of the tasks so far. */
interface Outcome {
  readonly trained: Map<number, Figures>;
  readonly skipped: { readonly name: string; readonly reason: string }[];
  best: Best | undefined;
  /** Where each head is kept, and not the best alone: keeps one with its answers. */
  readonly keep?: (trained: TrainedHead) => Promise<{ readonly file: string; readonly answers: AnswersResult }>;
}

/** By cross-validation on the training images; where nothing could be held out of those, by the validation images. */
const better = ({ result: a }: Pick<Figures, 'result'>, { result: b }: Pick<Figures, 'result'>): number =>
  byCrossValidation(a.crossValidated, b.crossValidated) || b.accuracy - a.accuracy || a.logLoss - b.logLoss;

/** What a run reports of its heads. */
export type HeadsOfRun = Pick<RunResult, 'heads' | 'choice' | 'skipped' | 'confusion' | 'mistakes'> & {
  readonly seconds: number;
};

/**
 * Trains the heads of a run and keeps the best as a file. It is chosen by cross-validation on the training images, so
 * that the validation images judge it without having had a part in the choice. Features that fit the memory are loaded
 * once for all heads. A head that cannot be fitted, or whose package is missing, is left out with the reason. Throws
 * FIT_INVALID where none is left, INTERRUPTED, STORE_WRITE, and what reading throws.
 */
export async function headsOfRun(
  storePath: string,
  {
    allHeads,
    answers: each = false,
    reject,
    probeImages,
    views,
    memory,
    network,
    weights,
  }: Pick<RunOptions, 'allHeads' | 'reject' | 'probeImages' | 'views' | 'memory'> & {
    /** Whether each head is kept, with its answers. Default: the best alone. */
    readonly answers?: boolean;
    /** Digests of the networks that heads are compared on. Default: of the primary one. */
    readonly weights?: readonly string[];
    /** The fingerprint of the set of a tuned network whose features are meant, in place of the primary ones. */
    readonly network?: string | undefined;
  },
  work: Work = {},
): Promise<HeadsOfRun> {
  const started = performance.now();
  const opened = await openStore(storePath);
  const store = network === undefined ? opened : opened.throughNetwork(network);
  const request = { owner: 'run', store, views, bound: memoryBound(memory, work) };
  const [primary, ...others] = storedNetworks(store);
  const networks = [primary, ...others.filter(({ sets }) => weights?.includes(sets[0].set.settings.weights))];
  const heads = allHeads ? [...RUN_HEADS, ...SLOW_HEADS] : RUN_HEADS;
  const { groups, skipped } = tasksOfRun(networks, heads, views > 0);
  const count = await openLooks(store.path, work.listener);
  const keep = async (trained: TrainedHead) => {
    const { file } = await keepHead(store, trained, { probeImages }, work);
    return { file, answers: await keepAnswers(file, { trained, store, splits: [trained.result.validatedOn] }, work) };
  };
  const outcome: Outcome = { trained: new Map(), skipped: [...skipped], best: undefined, ...(each && { keep }) };
  await trainGroups(groups, request, outcome, work);
  if (!allHeads)
    for (const { head } of SLOW_HEADS)
      outcome.skipped.push({ name: head, reason: 'it takes minutes; --all-heads trains it too.' });
  const { best } = outcome;
  if (best === undefined) {
    const reasons = outcome.skipped.map(({ reason }) => reason);
    throw new PermafrostError('FIT_INVALID', `No head could be trained: ${reasons.join(' ')}`);
  }
  const { outOfFold } = best;
  const trained = await withRule(best, request, reject, work);
  const looks = await count.add('run', trained.result.validatedOn, outcome.trained.size);
  const { file, probeImages: probes } = await keepHead(store, trained, { probeImages }, work);
  const scored = await scoresOfBest(trained, store, count, work);
  const splits = [trained.result.validatedOn, ...(scored.test === undefined ? [] : (['test'] as const))];
  const answers = await keepAnswers(file, { trained, store, splits }, work);
  const result = { ...trained.result, ...scored, ...(looks && { looks }), probeImages: probes, answers };
  return {
    heads: ranked([...outcome.trained.values()], { ...trained, result }, file),
    choice:
      trained.result.crossValidated === undefined
        ? { by: 'validation', reason: outOfFold.problem ?? 'no head could be cross-validated' }
        : { by: 'crossValidation', reason: null },
    skipped: outcome.skipped,
    confusion: trained.confusion,
    mistakes: trained.mistakes,
    seconds: (performance.now() - started) / 1000,
  };
}

/** The best head with its rule for "unknown": its features are read again where others were read since. */
async function withRule(
  { trained, plan, features, outOfFold, group }: Best,
  request: Omit<TrainingRequest, 'features'>,
  reject: number,
  work: Work,
): Promise<TrainedHead> {
  if (reject === 0) return trained;
  if (group !== undefined) return withReject(trained, group.data, outOfFold, reject, work);
  const data = await trainingData({ ...request, features, views: 0 }, [plan]);
  const inMemory = data.train.matrix !== undefined && outOfFold.judged !== undefined;
  const refits = inMemory ? await refitsOfPlan(plan, await heldOutRows(data, work), work) : undefined;
  return withReject(trained, data, { ...outOfFold, ...(refits && { refits }) }, reject, work);
}

/** Trains group after group, each on its features; a reason to read them in streams is reported once. */
async function trainGroups(
  groups: readonly TaskGroup[],
  request: Omit<TrainingRequest, 'features'>,
  outcome: Outcome,
  work: Work,
): Promise<void> {
  const total = groups.reduce((sum, { tasks }) => sum + tasks.length, 0);
  const reasons = new Set<string>();
  for (const { features, tasks } of groups) {
    const views = tasks.some(({ without }) => without !== undefined) ? request.views : 0;
    const plans = tasks.map(({ plan }) => plan);
    if (outcome.best !== undefined) outcome.best = withoutFeatures(outcome.best);
    const data = await trainingData({ ...request, features, views }, plans);
    const { reason } = data.train;
    if (reason !== undefined && !reasons.has(reason))
      work.listener?.note?.(`The features are read in streams: ${reason}.`);
    reasons.add(reason ?? '');
    const group = { features, data, heldOut: await heldOutRows(data, work), normalized: new Map<string, Matrix>() };
    for (const task of tasks) {
      const done = outcome.trained.size;
      work.listener?.progress?.({ stage: `training ${task.plan.head}`, done, total, perSecond: 0 });
      await trainTask(task, group, outcome, work);
    }
  }
}

/** What was read for the best head, and prepared of it, goes where other features are read. */
const withoutFeatures = (best: Best): Best => ({
  ...best,
  group: undefined,
  outOfFold: { ...best.outOfFold, refits: undefined },
});

interface Group {
  readonly features: TaskGroup['features'];
  readonly data: TrainingData;
  readonly heldOut: HeldOutRows;
  /** The last normalised rows of the group, by the name of the normalisation: the next head often wants the same. */
  readonly normalized: Map<string, Matrix>;
}

/** Trains one head, on the views where the task is of them; or notes why it is left out. */
async function trainTask(
  { plan, id, without }: RunTask,
  group: Group,
  outcome: Outcome,
  { signal, listener }: Work,
): Promise<void> {
  const { data, heldOut, normalized, features } = group;
  // What a head takes is not reported, as it is of a head that is trained alone.
  const quiet = { signal, listener: { progress: (state: Progress) => listener?.progress?.(state) } };
  const own = without === undefined ? withoutViews(data) : data;
  const rows = without === undefined ? { ...heldOut, views: [] } : heldOut;
  try {
    const known = normalized.get(plan.normalize);
    const race = { best: outcome.best?.outOfFold.judged, known };
    const outOfFold = isJudged(plan, data)
      ? await judgeOutOfFold(plan, rows, quiet, race)
      : { preparedMs: 0, problem: 'no head could be cross-validated in the time or memory that a run takes' };
    normalized.clear();
    if (outOfFold.refits) normalized.set(plan.normalize, outOfFold.refits.normalized);
    const found = await trainOnViews(
      plan,
      own,
      quiet,
      without === undefined ? undefined : outcome.trained.get(without),
      outOfFold,
    );
    const { judged: ofFolds } = outOfFold;
    const trained = ofFolds
      ? { ...found, outOfFold: ofFolds, result: { ...found.result, crossValidated: ofFolds.figures } }
      : found;
    const { result, judged } = trained;
    const kept = await outcome.keep?.(trained);
    outcome.trained.set(id, {
      result: { ...result, ...(kept && { answers: kept.answers }) },
      judged,
      ...(kept && { file: kept.file }),
    });
    const { best } = outcome;
    if (best === undefined || better(trained, best.trained) < 0)
      outcome.best = { trained, plan, features, outOfFold, group };
  } catch (error) {
    const left = ['PACKAGE_MISSING', 'FIT_INVALID', ...(data.train.reason === undefined ? [] : ['OPTION_INVALID'])];
    if (!(error instanceof PermafrostError && left.includes(error.code))) throw error;
    outcome.skipped.push({ name: `${plan.head} (${data.pooling})`, reason: reasonOf(error) });
  }
}

/** Whether a head is fitted on parts of the images too: not one that takes minutes or has no room in memory. */
const isJudged = (plan: TrainingPlan, { train }: TrainingData): boolean =>
  !SLOW_HEADS.some((slow) => slow.head === plan.head) &&
  (train.matrix !== undefined || headOf(plan).inMemoryOnly === undefined);

/** All heads, the best first, each compared with it: every head was validated on the same images in the same order. */
function ranked(trained: readonly Figures[], best: TrainedHead, file: string): HeadResult[] {
  const sorted = [...trained].sort(better);
  const answers = sorted.map(({ judged }) => judged);
  const compared = compareWithBest('accuracy', best.judged.truth, answers);
  return sorted.map(({ result, file: own }, i) => ({
    ...(i === 0 ? best.result : result),
    comparison: compared[i]!,
    file: i === 0 ? file : (own ?? null),
  }));
}

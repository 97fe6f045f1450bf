import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Progress } from '../../core/listener.ts';
import { compareWithBest } from '../../classify/cross-validation/compare.ts';
import type { HeadResult, RunResult } from '../../results/head-result.ts';
import { openStore } from '../../store/open.ts';
import { openLooks } from '../../store/format/validation-looks.ts';
import { currentSets } from '../../store/read/stored-parts.ts';
import type { RunOptions } from '../extract/options.ts';
import { memoryBound } from '../memory.ts';
import { trainingData, type TrainingData, type TrainingRequest } from '../train/data.ts';
import { keepHead } from '../train/head-files.ts';
import { withReject } from '../train/reject.ts';
import { scoresOfBest } from '../train/score.ts';
import { trainHead } from '../train/train-head.ts';
import type { TrainedHead } from '../train/trained-head.ts';
import { trainOnViews, withoutViews } from '../train/views-effect.ts';
import type { Work } from '../work.ts';
import { RUN_HEADS, SLOW_HEADS, tasksOfRun, type RunTask, type TaskGroup } from './tasks.ts';

/** A head that was trained, without what it holds: only the best is kept whole. */
type Figures = Pick<TrainedHead, 'result' | 'judged'>;

interface Best {
  readonly trained: TrainedHead;
  readonly task: RunTask;
  readonly features: TaskGroup['features'];
}

/** What became of the tasks so far. */
interface Outcome {
  readonly trained: Map<number, Figures>;
  readonly skipped: { readonly name: string; readonly reason: string }[];
  best: Best | undefined;
}

const better = (a: Figures, b: Figures): number =>
  b.result.accuracy - a.result.accuracy || a.result.logLoss - b.result.logLoss;

/** What a run reports of its heads. */
export type HeadsOfRun = Pick<RunResult, 'heads' | 'skipped' | 'confusion' | 'mistakes'> & {
  readonly seconds: number;
};

/**
 * Trains the heads of a run and keeps the best as a file. Features that fit the memory are loaded once for all heads. A
 * head that cannot be fitted, or whose package is missing, is left out with the reason. Throws FIT_INVALID where none
 * is left, INTERRUPTED, STORE_WRITE, and what reading throws.
 */
export async function headsOfRun(
  storePath: string,
  { allHeads, reject, views, memory }: Pick<RunOptions, 'allHeads' | 'reject' | 'views' | 'memory'>,
  work: Work = {},
): Promise<HeadsOfRun> {
  const started = performance.now();
  const store = await openStore(storePath);
  const request = { owner: 'run', store, views, bound: memoryBound(memory, work) };
  const heads = allHeads ? [...RUN_HEADS, ...SLOW_HEADS] : RUN_HEADS;
  const { groups, skipped } = tasksOfRun(currentSets(store), heads, views > 0);
  const count = await openLooks(store.path, work.listener);
  const outcome: Outcome = { trained: new Map(), skipped: [...skipped], best: undefined };
  await trainGroups(groups, request, outcome, work);
  if (!allHeads)
    for (const { head } of SLOW_HEADS)
      outcome.skipped.push({ name: head, reason: 'it takes minutes; --all-heads trains it too.' });
  const { best } = outcome;
  if (best === undefined) {
    const reasons = outcome.skipped.map(({ reason }) => reason);
    throw new PermafrostError('FIT_INVALID', `No head could be trained: ${reasons.join(' ')}`);
  }
  const { plan } = best.task;
  const load = () => trainingData({ ...request, features: best.features, views: 0 }, [plan]);
  const saved = await withReject(best.trained, plan, load, reject, work);
  const looks = await count.add('run', saved.result.validatedOn, outcome.trained.size);
  const file = await keepHead(store, saved);
  const scored = await scoresOfBest(saved, store, count, work);
  return {
    heads: ranked([...outcome.trained.values()], best, { ...saved.result, ...scored, ...(looks && { looks }) }, file),
    skipped: outcome.skipped,
    confusion: saved.confusion,
    mistakes: saved.mistakes,
    seconds: (performance.now() - started) / 1000,
  };
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
    const data = await trainingData({ ...request, features, views }, plans);
    const { reason } = data.train;
    if (reason !== undefined && !reasons.has(reason))
      work.listener?.note?.(`The features are read in streams: ${reason}.`);
    reasons.add(reason ?? '');
    for (const task of tasks) {
      const done = outcome.trained.size;
      work.listener?.progress?.({ stage: `training ${task.plan.head}`, done, total, perSecond: 0 });
      await trainTask({ task, features, data }, outcome, work);
    }
  }
}

/** Trains one head, on the views where the task is of them; or notes why it is left out. */
async function trainTask(
  { task, features, data }: Omit<Best, 'trained'> & { readonly data: TrainingData },
  outcome: Outcome,
  { signal, listener }: Work,
): Promise<void> {
  const { plan, id, without } = task;
  // What a head takes is not reported, as it is of a head that is trained alone.
  const quiet = { signal, listener: { progress: (state: Progress) => listener?.progress?.(state) } };
  try {
    const trained =
      without === undefined
        ? await trainHead(plan, withoutViews(data), quiet)
        : await trainOnViews(plan, data, quiet, outcome.trained.get(without));
    const { result, judged } = trained;
    outcome.trained.set(id, { result, judged });
    const { best } = outcome;
    if (best === undefined || better(trained, best.trained) < 0) outcome.best = { trained, task, features };
  } catch (error) {
    const left = ['PACKAGE_MISSING', 'FIT_INVALID', ...(data.train.reason === undefined ? [] : ['OPTION_INVALID'])];
    if (!(error instanceof PermafrostError && left.includes(error.code))) throw error;
    outcome.skipped.push({ name: `${plan.head} (${data.pooling})`, reason: reasonOf(error) });
  }
}

/** All heads, the best first, each compared with it: every head was validated on the same images in the same order. */
function ranked(trained: readonly Figures[], best: Best, saved: TrainedHead['result'], file: string): HeadResult[] {
  const sorted = [...trained].sort(better);
  const answers = sorted.map(({ judged }) => judged);
  const compared = compareWithBest('accuracy', best.trained.judged.truth, answers);
  return sorted.map(({ result }, i) => ({
    ...(i === 0 ? saved : result),
    comparison: compared[i]!,
    file: i === 0 ? file : null,
  }));
}

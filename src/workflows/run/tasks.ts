import { poolingsIn, type FeaturePart, type PoolingChoice } from '../../core/sample.ts';
import type { RunResult } from '../../results/head-result.ts';
import { readFor, smallPooling, type WantedSet } from '../../store/read/stored-parts.ts';
import type { TrainingPlan } from '../train/plan.ts';

interface RunHead extends TrainingPlan {
  readonly pooling: PoolingChoice;
  /** Trained on the views of the training images too, where there are some. */
  readonly onViews?: true;
}

/**
 * The heads that a run compares: the report's softmax on the flattened map, and the shallow heads that earned their
 * place by cross-validation on four data sets (docs/heads.md). Cheap ones come first: a dear one that they beat on the
 * first folds is not cross-validated on the others.
 */
export const RUN_HEADS: readonly RunHead[] = [
  { head: 'lda', pooling: 'avg', normalize: 'sqrt' },
  { head: 'logistic', pooling: 'avg', normalize: 'sqrt', options: { C: 30 }, onViews: true },
  { head: 'knn', pooling: 'avg', normalize: 'sqrt' },
  { head: 'kernel-ridge', pooling: 'avg', normalize: 'sqrt', options: { alpha: 0.03 } },
  { head: 'ensemble', pooling: 'avg', normalize: 'sqrt' },
  { head: 'logistic', pooling: 'flatten', normalize: 'l2', options: { C: 10 } },
  { head: 'kernel-ridge', pooling: 'flatten', normalize: 'l2', options: { alpha: 0.03 } },
  { head: 'softmax', pooling: 'flatten', normalize: 'none', onViews: true },
];

/** Heads for comparison that take minutes where the others take milliseconds: trained when asked for. */
export const SLOW_HEADS: readonly RunHead[] = [{ head: 'ml-logistic', pooling: 'avg', normalize: 'l2' }];

/** What is tried on each of the other cuts, and on all cuts side by side. */
const CUT_HEAD: TrainingPlan = { head: 'logistic', normalize: 'l2', options: { C: 10 } };

export interface RunTask {
  /** Numbers the tasks of a run. */
  readonly id: number;
  readonly plan: TrainingPlan;
  /** Of a head on the views: the task of the same head on the images alone, which comes before it. */
  readonly without?: number;
}

/** Tasks on the same features, in the order in which they are trained. */
export interface TaskGroup {
  readonly features: PoolingChoice | readonly FeaturePart[];
  readonly tasks: readonly RunTask[];
}

/**
 * What a run trains: `heads` on the primary set, some on its views too, CUT_HEAD on every other cut and on all of them
 * side by side. Heads on features that were not extracted are left out, with the reason.
 */
export function tasksOfRun(
  [primary, ...others]: readonly [WantedSet, ...WantedSet[]],
  heads: readonly RunHead[],
  hasViews: boolean,
): { readonly groups: readonly TaskGroup[]; readonly skipped: RunResult['skipped'] } {
  let id = 0;
  const there = heads.filter(({ pooling }) => poolingsIn(pooling).every((one) => readFor(primary, one) !== undefined));
  const ofPooling = (pooling: PoolingChoice): RunTask[] => {
    const own = there.filter((plan) => plan.pooling === pooling);
    const plain = own.map((plan) => ({ id: id++, plan }));
    const onViews = plain.filter((_, i) => hasViews && own[i]!.onViews);
    return [...plain, ...onViews.map((task) => ({ id: id++, plan: task.plan, without: task.id }))];
  };
  const groups: TaskGroup[] = [...new Set(there.map(({ pooling }) => pooling))].map((pooling) => ({
    features: pooling,
    tasks: ofPooling(pooling),
  }));
  const partOf = (wanted: WantedSet): FeaturePart => ({ cut: wanted.set.settings.cut, pooling: smallPooling(wanted) });
  const parts = others.map(partOf);
  const joined = parts.length > 0 ? [[partOf(primary), ...parts]] : [];
  for (const features of [...parts.map((part) => [part]), ...joined])
    groups.push({ features, tasks: [{ id: id++, plan: CUT_HEAD }] });
  const skipped = heads
    .filter((plan) => !there.includes(plan))
    .map(({ head, pooling }) => ({
      name: `${head} (${pooling})`,
      reason: `${primary.set.settings.cut} was extracted without ${pooling}.`,
    }));
  return { groups, skipped };
}

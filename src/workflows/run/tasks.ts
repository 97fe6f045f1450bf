import { poolingsIn, type FeaturePart, type PoolingChoice } from '../../core/sample.ts';
import type { RunResult } from '../../results/head-result.ts';
import type { NamedSet, StoredNetwork } from '../../store/read/stored-networks.ts';
import { readFor, smallPooling } from '../../store/read/stored-parts.ts';
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
  readonly features: readonly FeaturePart[];
  readonly tasks: readonly RunTask[];
}

/** Numbers the tasks of a run. */
type Count = () => number;

/** Heads of a run on the same features, some of them on the views too. */
function tasksOf(heads: readonly RunHead[], hasViews: boolean, count: Count): RunTask[] {
  const plain = heads.map((plan) => ({ id: count(), plan }));
  const onViews = plain.filter((_, i) => hasViews && heads[i]!.onViews);
  return [...plain, ...onViews.map((task) => ({ id: count(), plan: task.plan, without: task.id }))];
}

const partOf = (named: NamedSet): FeaturePart => ({ cut: named.name, pooling: smallPooling(named) });

/** The heads of a run on one network: those on means are tried on the class token too, where it is stored. */
const headsOn = ({ sets: [{ poolings }] }: StoredNetwork, heads: readonly RunHead[]): readonly RunHead[] =>
  poolings.includes('cls')
    ? [
        ...heads.filter(({ pooling }) => pooling === 'avg').map((plan) => ({ ...plan, pooling: 'cls' as const })),
        ...heads,
      ]
    : heads;

/** On one network: `heads` on its deepest cut, CUT_HEAD on every other one and on all of them side by side. */
function groupsOfNetwork(
  { sets: [deepest, ...others] }: StoredNetwork,
  heads: readonly RunHead[],
  hasViews: boolean,
  count: Count,
): TaskGroup[] {
  const groups = [...new Set(heads.map(({ pooling }) => pooling))].map((pooling): TaskGroup => ({
    features: poolingsIn(pooling).map((one) => ({ cut: deepest.name, pooling: one })),
    tasks: tasksOf(
      heads.filter((plan) => plan.pooling === pooling),
      hasViews,
      count,
    ),
  }));
  const parts = others.map(partOf);
  const joined = parts.length > 0 ? [[partOf(deepest), ...parts]] : [];
  const ofCuts = [...parts.map((part) => [part]), ...joined];
  return [...groups, ...ofCuts.map((features) => ({ features, tasks: [{ id: count(), plan: CUT_HEAD }] }))];
}

/**
 * What a run trains: on each network `heads` and those on its other cuts, and of several networks the heads on pooled
 * features on the deepest cuts of all of them side by side. Heads on features that were not extracted are left out,
 * with the reason.
 */
export function tasksOfRun(
  networks: readonly StoredNetwork[],
  heads: readonly RunHead[],
  hasViews: boolean,
): { readonly groups: readonly TaskGroup[]; readonly skipped: RunResult['skipped'] } {
  let id = 0;
  const count = (): number => id++;
  const skipped: { name: string; reason: string }[] = [];
  const groups = networks.flatMap((network) => {
    const [deepest] = network.sets;
    const { flatten, avg } = deepest.set.widths;
    const isThere = ({ pooling }: RunHead): boolean =>
      poolingsIn(pooling).every((one) => readFor(deepest, one) !== undefined);
    for (const { head, pooling } of heads.filter((plan) => !isThere(plan))) {
      // Of a vector the whole map and its mean are the same numbers.
      if (pooling === 'flatten' && flatten === avg) continue;
      skipped.push({ name: `${head} (${pooling})`, reason: `${deepest.name} was extracted without ${pooling}.` });
    }
    return groupsOfNetwork(network, headsOn(network, heads).filter(isThere), hasViews, count);
  });
  if (networks.length > 1) {
    const pooled = heads.filter(({ pooling }) => pooling === 'avg');
    groups.push({ features: networks.map(({ sets }) => partOf(sets[0])), tasks: tasksOf(pooled, hasViews, count) });
  }
  return { groups, skipped };
}

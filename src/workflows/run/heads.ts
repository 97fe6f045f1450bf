import { resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { HeadResult, RunResult } from '../../results/head-result.ts';
import type { Progress } from '../../core/listener.ts';
import type { FeaturePart, Pooling } from '../../core/sample.ts';
import { compareWithBest } from '../../classify/cross-validation/compare.ts';
import { readManifest } from '../../store/format/manifest.ts';
import {
  currentSets,
  partsText,
  smallPooling,
  storedParts,
  type StoredPart,
  type WantedSet,
} from '../../store/read/parts.ts';
import {
  defaultHeadFile,
  headPartsOf,
  trainHead,
  trainingData,
  type HeadPlan,
  type TrainedHead,
} from '../train/evaluate.ts';
import type { RunOptions } from '../extract/options.ts';
import { saveHead } from '../train/head-files.ts';
import { memoryBound } from '../memory.ts';
import { trainOnViews, withWorth } from '../train/on-views.ts';
import { reasonToStream, trainStreamed, type StreamedPlan } from '../train/train-streamed.ts';
import { calibrated } from '../train/within.ts';
import type { Work } from '../work.ts';

interface RunHead extends HeadPlan {
  readonly pooling: Pooling;
  /** Trained on the views of the training images too, where there are some. */
  readonly onViews?: true;
}

/**
 * The heads that a run compares: the report's softmax on the flattened map, and what shallow learning offers beside it.
 */
export const RUN_HEADS: readonly RunHead[] = [
  { head: 'softmax', pooling: 'flatten', normalize: 'none', onViews: true },
  { head: 'logistic', pooling: 'flatten', normalize: 'l2', options: { C: 10 } },
  { head: 'knn', pooling: 'flatten', normalize: 'l2' },
  { head: 'softmax', pooling: 'avg', normalize: 'standard' },
  { head: 'logistic', pooling: 'avg', normalize: 'l2', options: { C: 10 }, onViews: true },
  { head: 'linear-svm', pooling: 'avg', normalize: 'l2', options: { C: 10 } },
  { head: 'ridge', pooling: 'avg', normalize: 'l2' },
  { head: 'mlp', pooling: 'avg', normalize: 'standard' },
  { head: 'knn', pooling: 'avg', normalize: 'l2' },
  { head: 'knn-hnsw', pooling: 'avg', normalize: 'l2' },
  { head: 'centroid', pooling: 'avg', normalize: 'l2' },
];

/** Heads for comparison that take minutes where the others take milliseconds: trained when asked for. */
const SLOW_HEADS: readonly RunHead[] = [{ head: 'ml-logistic', pooling: 'avg', normalize: 'l2' }];

/** What is tried on each of the other cuts, and on all cuts side by side. */
const CUT_HEAD: HeadPlan = { head: 'logistic', normalize: 'l2', options: { C: 10 } };

interface Task {
  readonly plan: HeadPlan;
  /** Views of each training image; 0: the images alone. */
  readonly views: number;
  readonly features: Pooling | readonly FeaturePart[];
}

/**
 * What a run trains on a store: `plans` on the primary set, some of them also on the views, CUT_HEAD on every other cut
 * and on all of them side by side.
 */
function tasksFor(
  [primary, ...others]: readonly WantedSet[],
  plans: readonly RunHead[],
  views: number,
): { readonly tasks: Task[]; readonly left: RunResult['skipped'] } {
  const isThere = ({ pooling }: { readonly pooling: Pooling }): boolean =>
    primary!.poolings.includes(pooling);
  const { cut } = primary!.set.settings;
  const left = plans
    .filter((plan) => !isThere(plan))
    .map(({ head, pooling }) => ({
      name: `${head} (${pooling})`,
      reason: `${cut} was extracted without ${pooling}.`,
    }));
  const there = plans.filter(isThere);
  const tasks = there.map((plan): Task => ({ plan, features: plan.pooling, views: 0 }));
  // After the same heads without views, which they are compared with.
  for (const plan of there)
    if (plan.onViews && views > 0) tasks.push({ plan, features: plan.pooling, views });
  if (others.length === 0) return { tasks, left };
  const partOf = (wanted: WantedSet): FeaturePart => ({
    cut: wanted.set.settings.cut,
    pooling: smallPooling(wanted),
  });
  const parts = others.map(partOf);
  const features = [...parts.map((part) => [part]), [partOf(primary!), ...parts]];
  return { tasks: [...tasks, ...features.map((of) => ({ plan: CUT_HEAD, features: of, views: 0 }))], left };
}

/** A head that was trained, without what it holds: only the best is kept whole. */
interface Trained extends Pick<TrainedHead, 'result' | 'judged'> {
  readonly task: Task;
}

const better = (a: Trained, b: Trained): number =>
  b.result.accuracy - a.result.accuracy || a.result.logLoss - b.result.logLoss;

/**
 * One head in streams; `plain` is the same one without views, where there are some. What it takes is not told, as it is
 * of a head that is trained alone.
 */
async function streamed(
  plan: StreamedPlan & { readonly views: number },
  plain: Trained | undefined,
  { signal, listener }: Work,
): Promise<TrainedHead> {
  const quiet = { signal, listener: { progress: (state: Progress) => listener?.progress?.(state) } };
  const trained = await trainStreamed(plan, quiet);
  return plain === undefined ? trained : withWorth(trained, plain, plan.views);
}

/** What a run tells of its heads. */
export type HeadsOfRun = Pick<RunResult, 'heads' | 'skipped' | 'confusion' | 'mistakes'> & {
  readonly seconds: number;
};

/**
 * Trains the heads of a run on a store's features and keeps the best as a file. Features that fit the memory are loaded
 * once for all heads on them; on others each head reads streams. A head that cannot be fitted so, or whose package is
 * missing, is left out with the reason. Throws FIT_INVALID where none is left, INTERRUPTED, STORE_WRITE, and what
 * reading throws.
 */
export async function headsOfRun(
  storePath: string,
  { allHeads, reject, views, memory }: Pick<RunOptions, 'allHeads' | 'reject' | 'views' | 'memory'>,
  work: Work = {},
): Promise<HeadsOfRun> {
  const started = performance.now();
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const plans = allHeads ? [...RUN_HEADS, ...SLOW_HEADS] : RUN_HEADS;
  const { tasks, left } = tasksFor(currentSets(store, manifest), plans, views);
  const skipped: { name: string; reason: string }[] = [...left];
  const trained: Trained[] = [];
  const reasons = new Set<string | undefined>();
  const bound = memoryBound(memory);
  const placeOf = (features: Task['features']) => ({
    owner: 'run',
    store,
    manifest,
    samples: undefined,
    features,
    bound,
  });
  let best: (TrainedHead & { readonly task: Task; readonly isStreamed: boolean }) | undefined;
  for (const features of new Set(tasks.map((task) => task.features))) {
    const group = tasks.filter((task) => task.features === features);
    const place = placeOf(features);
    const most = Math.max(...group.map((task) => task.views));
    const reason = await reasonToStream({ ...place, views: most });
    const isStreamed = reason !== undefined;
    if (isStreamed && !reasons.has(reason))
      work.listener?.note?.(`The features are read in streams: ${reason}.`);
    reasons.add(reason);
    const data = isStreamed ? undefined : await trainingData(store, manifest, features, { views: most });
    for (const task of group) {
      const { plan } = task;
      const [done, total] = [trained.length, tasks.length];
      work.listener?.progress?.({ stage: `training ${plan.head}`, done, total, perSecond: 0 });
      try {
        const plain = trained.find((one) => one.task.plan === plan && one.task.features === features);
        const fitted =
          data === undefined
            ? await streamed({ ...plan, ...place, views: task.views }, plain, work)
            : task.views > 0
              ? await trainOnViews(plan, data, work.signal, plain)
              : await trainHead(plan, { ...data, views: [] }, work.signal);
        const { result, judged } = fitted;
        const one = { result, judged, task };
        trained.push(one);
        if (best === undefined || better(one, best) < 0) best = { ...fitted, task, isStreamed };
      } catch (error) {
        const left = ['PACKAGE_MISSING', 'FIT_INVALID', ...(isStreamed ? ['OPTION_INVALID'] : [])];
        if (!(error instanceof PermafrostError && left.includes(error.code))) throw error;
        const pooling = partsText(store, manifest, headPartsOf(store, manifest, features));
        skipped.push({ name: `${plan.head} (${pooling})`, reason: reasonOf(error) });
      }
    }
  }
  if (!allHeads) {
    for (const { head } of SLOW_HEADS)
      skipped.push({ name: head, reason: 'it takes minutes; --all-heads trains it too.' });
  }
  if (best === undefined) {
    throw new PermafrostError(
      'FIT_INVALID',
      `No head could be trained: ${skipped.map(({ reason }) => reason).join(' ')}`,
    );
  }
  trained.sort(better);
  // Every head was validated on the same images in the same order.
  const compared = compareWithBest(
    best.judged.truth,
    trained.map(({ judged }) => judged.guess),
  );
  const { plan, features } = best.task;
  const load = best.isStreamed ? undefined : () => trainingData(store, manifest, features);
  const saved = await calibrated(best, { ...plan, ...placeOf(features) }, load, reject, work);
  const file = defaultHeadFile(store, saved);
  const [{ set }] = storedParts(store, manifest, saved.parts) as [StoredPart];
  await saveHead(file, saved, set, store);
  return {
    heads: trained.map(({ result }, i): HeadResult => ({
      ...(i === 0 ? saved.result : result),
      comparison: compared[i]!,
      file: i === 0 ? file : null,
    })),
    skipped,
    confusion: saved.confusion,
    mistakes: saved.mistakes,
    seconds: (performance.now() - started) / 1000,
  };
}

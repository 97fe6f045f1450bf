import { join, resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import { resolveOptions } from '../core/options.ts';
import type { HeadResult, RunResult } from '../core/head-result.ts';
import type { FeaturePart, Pooling } from '../core/sample.ts';
import { compareWithBest } from '../classify/cross-validation/compare.ts';
import { writeFileAtomic } from '../store/atomic-file.ts';
import { readManifest } from '../store/manifest.ts';
import { currentSets, smallPooling, storedParts, type StoredPart, type WantedSet } from '../store/parts.ts';
import { parseCuts } from './cut-plan.ts';
import { openDataset } from './dataset.ts';
import { defaultHeadFile, trainHead, trainingData, type HeadPlan, type TrainedHead } from './evaluate.ts';
import { extract } from './extract.ts';
import type { Work } from './work.ts';
import { RUN_DEFAULTS, RUN_OPTIONS, type RunOptions } from './extract-options.ts';
import { saveHead } from './head-files.ts';
import { RESULTS_NAME } from './past-run.ts';
import { withReject } from './reject.ts';
import { trainOnViews } from './train-on-views.ts';

interface RunHead extends HeadPlan {
  readonly pooling: Pooling;
  /** Trained on the views of the training images too, where there are some. */
  readonly onViews?: true;
}

/** The heads that a run compares: the report's softmax on the flattened map, and what shallow learning offers beside it. */
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
 * What a run trains on a store: `plans` on the primary set, some of them also on the views, CUT_HEAD on every other cut and on all of them
 * side by side.
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

const better = (a: TrainedHead, b: TrainedHead): number =>
  b.result.accuracy - a.result.accuracy || a.result.logLoss - b.result.logLoss;

/**
 * The main job: extracts what is not extracted yet, trains RUN_HEADS on the deepest cut and one head on each other, keeps the best head as
 * a file and everything told as results.json in the store. Heads whose package is missing are left out with the reason.
 */
export async function run(
  datasetPath: string,
  given: Partial<RunOptions> = {},
  work: Work = {},
): Promise<RunResult> {
  const resolved = resolveOptions('run', RUN_OPTIONS, given);
  const { allHeads, reject, ...options } = resolved;
  const plans = allHeads ? [...RUN_HEADS, ...SLOW_HEADS] : RUN_HEADS;
  parseCuts(options.cut); // refused before the data set is listed
  // One class cannot be told from another: better said before minutes of extraction than after.
  const { samples } = await openDataset(datasetPath, options);
  const classes = new Set(samples.map(({ label }) => label));
  if (classes.size < 2) {
    throw new PermafrostError(
      'DATASET_CLASSES',
      `${datasetPath} has one class (${[...classes].join()}); heads need two or more. "permafrost extract" works with one.`,
    );
  }
  const extracted = await extract(datasetPath, options, work);
  const store = resolve(extracted.store);
  const manifest = await readManifest(store);

  const started = performance.now();
  const trained: (TrainedHead & { readonly task: Task })[] = [];
  const { tasks, left } = tasksFor(currentSets(store, manifest), plans, options.views);
  const skipped: { name: string; reason: string }[] = [...left];
  for (const features of new Set(tasks.map((task) => task.features))) {
    const group = tasks.filter((task) => task.features === features);
    const most = Math.max(...group.map(({ views }) => views));
    const { views: looks, ...data } = await trainingData(store, manifest, features, {
      views: most,
    });
    for (const task of group) {
      const { plan, views } = task;
      work.listener?.progress?.({
        stage: `training ${plan.head}`,
        done: trained.length,
        total: tasks.length,
        perSecond: 0,
      });
      try {
        const plain = trained.find((one) => one.task.plan === plan && one.task.features === features);
        const head =
          views > 0
            ? await trainOnViews(plan, { ...data, views: looks ?? [] }, work.signal, plain)
            : await trainHead(plan, data, work.signal);
        trained.push({ ...head, task });
      } catch (error) {
        if (!(error instanceof PermafrostError && ['PACKAGE_MISSING', 'FIT_INVALID'].includes(error.code)))
          throw error;
        skipped.push({ name: `${plan.head} (${data.pooling})`, reason: reasonOf(error) });
      }
    }
  }
  if (!allHeads) {
    for (const { head } of SLOW_HEADS)
      skipped.push({ name: head, reason: 'it takes minutes; --all-heads trains it too.' });
  }
  trained.sort(better);
  const [first, ...others] = trained;
  if (first === undefined) {
    throw new PermafrostError(
      'FIT_INVALID',
      `No head could be trained: ${skipped.map(({ reason }) => reason).join(' ')}`,
    );
  }
  // Every head was validated on the same images in the same order.
  const compared = compareWithBest(
    first.judged.truth,
    trained.map(({ judged }) => judged.guess),
  );
  const best =
    reject === 0 || first.task.views > 0
      ? first
      : await withReject(
          first,
          first.task.plan,
          await trainingData(store, manifest, first.task.features),
          reject,
          work,
        );
  const file = defaultHeadFile(store, best);
  const [{ set }] = storedParts(store, manifest, best.parts) as [StoredPart];
  await saveHead(file, best, set, store);
  const heads: HeadResult[] = [
    { ...best.result, comparison: compared[0]!, file },
    ...others.map(({ result }, i) => ({ ...result, comparison: compared[i + 1]!, file: null })),
  ];
  const result: RunResult = {
    ...extracted,
    options: Object.fromEntries(
      Object.entries(resolved).filter(([key, value]) => value !== RUN_DEFAULTS[key as keyof RunOptions]),
    ),
    seconds: { ...extracted.seconds, train: (performance.now() - started) / 1000 },
    heads,
    skipped,
    confusion: best.confusion,
    mistakes: best.mistakes,
  };
  const text = `${JSON.stringify(result, null, 1)}\n`;
  await writeFileAtomic(join(store, RESULTS_NAME), [new TextEncoder().encode(text)]);
  return result;
}

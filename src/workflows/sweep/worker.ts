// A thread of its own, started by pool.ts: it gets jobs, cross-validates, answers plan by plan, and asks for the next.
import { parentPort, workerData } from 'node:worker_threads';
import { matrix, type Matrix } from '../../core/matrix.ts';
import { serveOrders } from '../../core/threads.ts';
import type { HeadPlan } from '../../classify/cross-validation/families.ts';
import { foldFeatures, type FoldFeatures } from '../../classify/cross-validation/fold-features.ts';
import { scaledAcross } from '../../classify/out-of-fold/fold-temperatures.ts';
import { heldOut } from '../../classify/cross-validation/held-out.ts';
import { crossScores } from '../../classify/cross-validation/cross-scores.ts';
import { rowLosses, topClass } from '../../classify/evaluate/metrics.ts';
import { scalesProbabilities } from '../../classify/heads/index.ts';
import { leastShareOf } from '../../classify/heads/votes.ts';
import { featuresKey, type FeatureGroup, type SweepData, type SweepJob, type WorkerMessage } from './pool.ts';

const { features, y, classes, folds, mostKept } = workerData as SweepData;
const port = parentPort!;
const send = (message: WorkerMessage, ...moved: ArrayBuffer[]): void => port.postMessage(message, moved);

/** The features of one group at a time: those of the next replace them. */
let prepared: { readonly key: string; readonly features: FoldFeatures } | undefined;

function preparedFor(group: FeatureGroup): FoldFeatures {
  const { normalize, pca, views: count } = group;
  const key = `${featuresKey(group)} ${normalize} ${pca} ${count}`;
  if (prepared?.key === key) return prepared.features;
  prepared = undefined;
  const { data, rows, cols, parts, views } = features[featuresKey(group)]!;
  // The runtime takes no shared memory: where nothing is done to the rows, they are copied.
  const X = normalize === 'none' ? matrix(rows, cols, Float32Array.from(data)) : { data, rows, cols };
  const others = views.slice(0, count).map((view) => ({ data: view, rows, cols }));
  prepared = { key, features: foldFeatures(X, { normalize, pca }, folds, { parts, views: others, mostKept }) };
  return prepared.features;
}

/** Probabilities as `train` would make them mean something: of most heads scaled by one temperature. */
function ownOrScaled({ name, params }: HeadPlan, P: Matrix): Matrix {
  if (!scalesProbabilities(name)) return P;
  return scaledAcross(
    y,
    P,
    folds.map(({ val }) => val),
    leastShareOf(params),
  );
}

async function work({ group, family }: SweepJob, signal: AbortSignal): Promise<void> {
  let started = performance.now();
  for await (const result of heldOut(family, preparedFor(group), { y, classes }, { signal })) {
    const fitMs = performance.now() - started;
    const { plan } = result;
    if ('problem' in result) send({ kind: 'found', finding: { group, plan, found: { problem: result.problem } } });
    else {
      const { converged, iterations } = result;
      const P = ownOrScaled(plan, result.P);
      const predictions = Uint16Array.from(topClass(P));
      const losses = Float32Array.from(rowLosses(y, P));
      const found = { scores: crossScores(y, P, folds), predictions, losses, converged, iterations, fitMs };
      send({ kind: 'found', finding: { group, plan, found } }, predictions.buffer, losses.buffer);
    }
    started = performance.now();
  }
}

serveOrders<SweepJob>(async (job, signal) => {
  await work(job, signal);
  send({ kind: 'ready' });
});
send({ kind: 'ready' });

// A thread of its own, started by sweep-pool.ts: it gets jobs, cross-validates, answers plan by plan, and asks for the next.
import { parentPort, workerData } from 'node:worker_threads';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import { matrix } from '../core/matrix.ts';
import { foldFeatures, type FoldFeatures } from '../classify/cross-validation/fold-features.ts';
import { heldOut } from '../classify/cross-validation/held-out.ts';
import { judge } from '../classify/cross-validation/judge.ts';
import { topClass } from '../classify/metrics.ts';
import {
  featuresKey,
  type FeatureGroup,
  type SweepData,
  type SweepJob,
  type WorkerMessage,
  type WorkerOrder,
} from './sweep-pool.ts';

const { features, y, classes, folds } = workerData as SweepData;
const port = parentPort!;
const tell = (message: WorkerMessage, ...moved: ArrayBuffer[]): void => port.postMessage(message, moved);

/** Aborted by the order to end: what is being fitted stops at its next look, and then nothing keeps the thread. */
const stop = new AbortController();

/** The features of one group at a time: those of the next replace them. */
let prepared: { readonly key: string; readonly features: FoldFeatures } | undefined;

function preparedFor(group: FeatureGroup): FoldFeatures {
  const { normalize, pca, views: looks } = group;
  const key = `${featuresKey(group)} ${normalize} ${pca} ${looks}`;
  if (prepared?.key === key) return prepared.features;
  prepared = undefined;
  const { data, rows, cols, parts, views } = features[featuresKey(group)]!;
  // The runtime takes no shared memory: where nothing is done to the rows, they are copied.
  const X = normalize === 'none' ? matrix(rows, cols, Float32Array.from(data)) : { data, rows, cols };
  const others = views.slice(0, looks).map((view) => ({ data: view, rows, cols }));
  prepared = { key, features: foldFeatures(X, { normalize, pca }, folds, { parts, views: others }) };
  return prepared.features;
}

async function work({ group, family }: SweepJob): Promise<void> {
  let started = performance.now();
  const { signal } = stop;
  for await (const result of heldOut(family, preparedFor(group), { y, classes }, { signal })) {
    const fitMs = performance.now() - started;
    const { plan } = result;
    if ('problem' in result)
      tell({ kind: 'found', finding: { group, plan, found: { problem: result.problem } } });
    else {
      const { P, converged, iterations } = result;
      const predictions = Uint16Array.from(topClass(P));
      const found = { scores: judge(y, P, folds), predictions, converged, iterations, fitMs };
      tell({ kind: 'found', finding: { group, plan, found } }, predictions.buffer);
    }
    started = performance.now();
  }
}

port.on('message', (order: WorkerOrder) => {
  if (order === 'end') {
    stop.abort();
    port.close();
    return;
  }
  work(order).then(
    () => tell({ kind: 'ready' }),
    (error: unknown) => {
      const code = error instanceof PermafrostError ? error.code : null;
      tell({
        kind: 'failed',
        code,
        message: code === null ? String((error as Error).stack ?? error) : reasonOf(error),
      });
    },
  );
});
tell({ kind: 'ready' });

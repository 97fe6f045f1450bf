import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { PermafrostError } from '../core/errors.ts';
import { resolveOptions } from '../core/options.ts';
import type { SweepCandidate, SweepConfiguration, SweepResult } from '../core/sweep-result.ts';
import { readManifest, type Manifest } from '../store/manifest.ts';
import { storedParts, type StoredPart } from '../store/parts.ts';
import { loadFeatures } from '../store/reader.ts';
import type { StoredSample } from '../store/shard.ts';
import { ledgerPath, openLedger, type Ledger, type LedgerEntry } from '../store/sweep-ledger.ts';
import { defaultHeadFile, trainingData, validationSplit, type TrainedHead } from './evaluate.ts';
import type { Work } from './work.ts';
import { saveHead } from './head-files.ts';
import { labelledSamples, requireViews } from './labelled-samples.ts';
import { progressMeter } from './progress-meter.ts';
import { withReject } from './reject.ts';
import { configurationsOf, featuresOf, type SweepGrid } from './sweep-grid.ts';
import { SWEEP_OPTIONS, type SweepOptions } from './sweep-options.ts';
import { idOfFinding, jobsOf, planSweep, type SweepPlan } from './sweep-plan.ts';
import {
  featuresKey,
  runSweepJobs,
  type SharedFeatures,
  type SweepData,
  type SweepFinding,
} from './sweep-pool.ts';
import { candidateOf, entryOf, ranked } from './sweep-ranking.ts';
import { trainOnViews } from './train-on-views.ts';

/** What to sweep: options over SWEEP_OPTIONS' defaults, and the grid, by default DEFAULT_GRID. */
export interface SweepRequest extends Partial<SweepOptions> {
  readonly grid?: SweepGrid | undefined;
  /** Where the grid comes from, for messages. */
  readonly gridSource?: string | undefined;
}

export interface SweepWork extends Work {
  /** Called with each candidate when it is known, those of earlier sweeps first; in no order. */
  onCandidate?(candidate: SweepCandidate, state: { readonly done: number; readonly total: number }): void;
}

/**
 * Cross-validates every configuration of a grid on the training images of a store, on all processors, and fits the best on all of them; the
 * validation images are looked at once, for the best alone. Copies of one image are always in the same fold. Results are kept in the
 * store as they come: what was found before is not computed again, so that the same call after an abort goes on where it stopped. A
 * result depends on nothing but its id (SweepCandidate): not on the number of workers, the rest of the grid or the order.
 * With a list of labels these count, and the store is not changed. Throws OPTION_INVALID, FIT_INVALID where the images cannot be split so that every fold trains on every class, INTERRUPTED, STORE_WRITE,
 * and what readManifest and loadFeatures throw.
 */
export async function sweep(
  storePath: string,
  { grid = {}, gridSource = 'The grid', ...given }: SweepRequest = {},
  work: SweepWork = {},
): Promise<SweepResult> {
  const options = resolveOptions('sweep', SWEEP_OPTIONS, given);
  const configurations = configurationsOf(grid, gridSource);
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const { labels } = options;
  const { samples: all, relabelled, joinedTrain } = await labelledSamples(store, manifest, labels, work);
  if (configurations.some(({ views }) => views > 0)) requireViews(labels, joinedTrain);
  const samples = all.filter(({ split }) => split === 'train');
  validationSplit(store, all);
  const plan = planSweep(samples, (one) => namesOf(store, manifest, one), options, configurations);
  const ledger = await openLedger(ledgerPath(store, plan.images));
  try {
    const found = await crossValidate({ store, manifest, all }, plan, ledger, options, work);
    const candidates = ranked(plan, found.known, found.reused, options.score);
    const [best] = candidates;
    if (best === undefined) {
      throw new PermafrostError(
        'FIT_INVALID',
        `None of the ${plan.configurations.size} configurations could be fitted: ${found.skipped[0]?.reason}`,
      );
    }
    const started = performance.now();
    const wish = { views: best.views, samples: all };
    const data = await trainingData(store, manifest, featuresOf(best), wish);
    const plain = { ...best, options: best.params };
    let trained: TrainedHead = { ...(await trainOnViews(plain, data, work.signal)), relabelled };
    let file: string | null = null;
    if (options.save) {
      trained = await withReject(trained, plain, data, options.reject, work);
      file = options.out === '' ? defaultHeadFile(store, trained) : resolve(options.out);
      const [{ set }] = storedParts(store, manifest, trained.parts) as [StoredPart];
      await saveHead(file, trained, set, store);
    }
    const { score, folds, seed } = options;
    return {
      store,
      score,
      folds,
      seed,
      images: samples.length,
      classes: plan.classes,
      workers: found.workers,
      computed: found.known.size - found.reused.size,
      reused: found.reused.size,
      skipped: found.skipped,
      candidates,
      notToldApart: candidates.filter(({ rank, toldApart }) => rank > 1 && !toldApart).length,
      best: { ...trained.result, ...(labels !== '' && { relabelled: relabelled.length }), file },
      ledger: ledger.path,
      seconds: { ...found.seconds, best: (performance.now() - started) / 1000 },
    };
  } finally {
    await ledger.close();
  }
}

/**
 * The stored features that a configuration is about: fingerprint and pooling of each part, those of the views after those of the images. Throws
 * OPTION_INVALID where the store lacks one.
 */
const namesOf = (store: string, manifest: Manifest, one: SweepConfiguration): string =>
  Array.from({ length: 1 + one.views }, (_, view) => storedParts(store, manifest, featuresOf(one), view))
    .flat()
    .map(({ set, pooling }) => `${set.fingerprint}:${pooling}`)
    .join(',');

/** A store, and its images under the labels that count. */
interface SweptStore {
  readonly store: string;
  readonly manifest: Manifest;
  readonly all: readonly StoredSample[];
}

/** Everything that is known of the plan's configurations: from before, and what was missing computed and kept. */
async function crossValidate(
  swept: SweptStore,
  plan: SweepPlan,
  ledger: Ledger,
  options: SweepOptions,
  work: SweepWork,
) {
  const { store, manifest } = swept;
  const { signal, listener } = work;
  const { configurations } = plan;
  for (const line of ledger.damaged)
    listener?.note?.(`${ledger.path}, ${line}: the line is left out and its result computed again.`);
  const started = performance.now();
  const known = new Map<string, LedgerEntry>();
  const meter = progressMeter('sweeping', configurations.size, listener, 'configurations');
  const tell = (entry: LedgerEntry, reused: boolean): void => {
    known.set(entry.id, entry);
    meter.advance(1, Number(!reused));
    work.onCandidate?.(candidateOf(entry, reused), { done: known.size, total: configurations.size });
  };
  for (const id of configurations.keys()) {
    const entry = ledger.entries.get(id);
    if (entry !== undefined) tell(entry, true);
  }
  const reused = new Set(known.keys());
  const missing = new Map([...configurations].filter(([id]) => !known.has(id)));
  if (reused.size > 0)
    listener?.note?.(`${reused.size} of ${configurations.size} configurations are known from before.`);

  const workers = options.workers === 0 ? availableParallelism() : options.workers;
  const data = await sharedData(swept, plan, [...missing.values()]);
  const loaded = performance.now();
  const problems = new Map<string, string>();
  for await (const finding of findings(plan, missing, workers, data, ledger, known, signal)) {
    const id = idOfFinding(finding, missing);
    if ('problem' in finding.found) {
      problems.set(id, finding.found.problem);
      meter.advance(1, 1);
    } else {
      const entry = entryOf(id, namesOf(store, manifest, missing.get(id)!), missing.get(id)!, finding.found);
      await ledger.append(entry);
      tell(entry, false);
    }
  }
  return {
    known,
    reused,
    workers,
    skipped: [...missing].flatMap(([id, one]) =>
      problems.has(id) ? [{ ...one, reason: problems.get(id)! }] : [],
    ),
    seconds: { load: (loaded - started) / 1000, sweep: (performance.now() - loaded) / 1000 },
  };
}

/** A copy in shared memory, which every thread reads. */
function inSharedMemory(data: Float32Array): Float32Array<SharedArrayBuffer> {
  const shared = new Float32Array(new SharedArrayBuffer(data.byteLength));
  shared.set(data);
  return shared;
}

/** The features that the missing configurations need, in shared memory. */
async function sharedData(
  { store, manifest, all: samples }: SweptStore,
  { y, classes, folds }: SweepPlan,
  missing: readonly SweepConfiguration[],
): Promise<SweepData> {
  const features: Record<string, SharedFeatures> = {};
  for (const one of missing) {
    const key = featuresKey(one);
    if (features[key] !== undefined) continue;
    const parts = storedParts(store, manifest, featuresOf(one));
    const load = async (view: number) =>
      (await loadFeatures(store, manifest, parts, ['train'], { view, samples })).get('train')!.X;
    const { data, rows, cols } = await load(0);
    const most = Math.max(...missing.filter((other) => featuresKey(other) === key).map(({ views }) => views));
    const views: Float32Array<SharedArrayBuffer>[] = [];
    for (let view = 1; view <= most; view++) views.push(inSharedMemory((await load(view)).data));
    const widths = parts.map(({ width }) => width);
    features[key] = { data: inSharedMemory(data), rows, cols, parts: widths, views };
  }
  const shared = new Int32Array(new SharedArrayBuffer(y.byteLength));
  shared.set(y);
  return { features, y: shared, classes, folds };
}

/** What the workers find. Throws INTERRUPTED, telling what is kept. */
async function* findings(
  { configurations }: SweepPlan,
  missing: ReadonlyMap<string, SweepConfiguration>,
  workers: number,
  data: SweepData,
  ledger: Ledger,
  known: ReadonlyMap<string, unknown>,
  signal: AbortSignal | undefined,
): AsyncGenerator<SweepFinding> {
  try {
    yield* runSweepJobs(jobsOf([...missing.values()]), workers, data, signal);
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code !== 'INTERRUPTED') throw error;
    throw new PermafrostError(
      'INTERRUPTED',
      `Interrupted: ${known.size} of ${configurations.size} configurations are kept in ${ledger.path}. Run the same command again to go on.`,
      { cause: error },
    );
  }
}

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { canonicalJson, sha256Hex } from '../core/digest.ts';
import { PermafrostError } from '../core/errors.ts';
import { resolveOptions } from '../core/options.ts';
import type { Pooling } from '../core/sample.ts';
import type {
  RankedCandidate,
  SweepCandidate,
  SweepConfiguration,
  SweepResult,
  SweepScore,
} from '../core/sweep-result.ts';
import { compareWithBest } from '../classify/cross-validation/compare.ts';
import { familiesOf } from '../classify/cross-validation/families.ts';
import { headEntry } from '../classify/heads/index.ts';
import { encodeLabels } from '../classify/labels.ts';
import { stratifiedKFold, type TrainVal } from '../classify/split.ts';
import { readManifest, type Manifest } from '../store/manifest.ts';
import { currentSet, loadFeatures, readSamples } from '../store/reader.ts';
import type { StoredSample } from '../store/shard.ts';
import { ledgerPath, openLedger, type Ledger, type LedgerEntry } from '../store/sweep-ledger.ts';
import { defaultHeadFile, trainHead, trainingData } from './evaluate.ts';
import type { Work } from './extract.ts';
import { saveHead } from './head-files.ts';
import { progressMeter } from './progress-meter.ts';
import { configurationsOf, type SweepGrid } from './sweep-grid.ts';
import { SWEEP_OPTIONS, type SweepOptions } from './sweep-options.ts';
import {
  runSweepJobs,
  type FeatureGroup,
  type SweepData,
  type SweepFinding,
  type SweepJob,
} from './sweep-pool.ts';

/** Part of each result's id: raise it when the same configuration would give other numbers than before. */
const RESULTS_VERSION = 1;

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

/** The training images, split into folds, and the configurations with their ids. */
interface SweepPlan {
  readonly samples: readonly StoredSample[];
  readonly y: Int32Array;
  readonly classes: readonly string[];
  readonly folds: readonly TrainVal[];
  /** Digest of the features and the training images. */
  readonly digest: string;
  readonly configurations: ReadonlyMap<string, SweepConfiguration>;
}

/**
 * Cross-validates every configuration of a grid on the training images of a store, on all processors, and fits the best on all of them; the
 * validation images are looked at once, for the best alone. Copies of one image are always in the same fold. Results are kept in the
 * store as they come: what was found before is not computed again, so that the same call after an abort goes on where it stopped. A
 * result depends on nothing but its id (SweepCandidate): not on the number of workers, the rest of the grid or the order.
 * Throws OPTION_INVALID, FIT_INVALID where the images cannot be split so that every fold trains on every class, INTERRUPTED, STORE_WRITE,
 * and what readManifest and loadFeatures throw.
 */
export async function sweep(
  storePath: string,
  { grid = {}, gridSource = 'The grid', ...given }: SweepRequest = {},
  work: SweepWork = {},
): Promise<SweepResult> {
  const { signal, listener } = work;
  const options = resolveOptions('sweep', SWEEP_OPTIONS, given);
  const configurations = configurationsOf(grid, gridSource);
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const plan = planOf(store, manifest, await readSamples(store, manifest), options, configurations);
  const ledger = await openLedger(ledgerPath(store, plan.digest));
  try {
    for (const line of ledger.damaged)
      listener?.note?.(`${ledger.path}, ${line}: the line is left out and its result computed again.`);
    const started = performance.now();
    const known = new Map<string, LedgerEntry>();
    const meter = progressMeter('sweeping', plan.configurations.size, listener, 'configurations');
    const tell = (entry: LedgerEntry, reused: boolean): void => {
      known.set(entry.id, entry);
      meter.advance(1, Number(!reused));
      work.onCandidate?.(candidateOf(entry, reused), { done: known.size, total: plan.configurations.size });
    };
    for (const id of plan.configurations.keys()) {
      const entry = ledger.entries.get(id);
      if (entry !== undefined) tell(entry, true);
    }
    const reused = new Set(known.keys());
    const missing = new Map([...plan.configurations].filter(([id]) => !known.has(id)));
    if (reused.size > 0)
      listener?.note?.(`${reused.size} of ${plan.configurations.size} configurations are known from before.`);

    const workers = options.workers === 0 ? availableParallelism() : options.workers;
    const data = await sharedData(store, manifest, plan, [...missing.values()]);
    const loaded = performance.now();
    const skipped: SweepResult['skipped'][number][] = [];
    for await (const finding of findings(plan, missing, workers, data, ledger, known, signal)) {
      const configuration = configurationOf(finding);
      if ('problem' in finding.found) {
        skipped.push({ ...configuration, reason: finding.found.problem });
        meter.advance(1, 1);
        continue;
      }
      const entry = entryOf(idOf(configuration, missing), configuration, finding.found);
      await ledger.append(entry);
      tell(entry, false);
    }
    const swept = performance.now();

    const candidates = ranked(plan, known, reused, options.score);
    const best = candidates[0];
    if (best === undefined) {
      throw new PermafrostError(
        'FIT_INVALID',
        `None of the ${plan.configurations.size} configurations could be fitted: ${skipped[0]?.reason}`,
      );
    }
    const trained = await trainHead(
      { ...best, options: best.params, normalize: best.normalize as FeatureGroup['normalize'] },
      await trainingData(store, manifest, best.pooling),
      signal,
    );
    let file: string | null = null;
    if (options.save) {
      file = options.out === '' ? defaultHeadFile(store, trained.result) : resolve(options.out);
      await saveHead(file, trained, currentSet(store, manifest), store);
    }
    return {
      store,
      score: options.score,
      folds: options.folds,
      seed: options.seed,
      images: plan.samples.length,
      classes: plan.classes,
      workers,
      computed: known.size - reused.size,
      reused: reused.size,
      skipped: inGridOrder(plan, skipped),
      candidates,
      notToldApart: candidates.filter(({ rank, toldApart }) => rank > 1 && !toldApart).length,
      best: { ...trained.result, file },
      ledger: ledger.path,
      seconds: {
        load: (loaded - started) / 1000,
        sweep: (swept - loaded) / 1000,
        best: (performance.now() - swept) / 1000,
      },
    };
  } finally {
    await ledger.close();
  }
}

function planOf(
  store: string,
  manifest: Manifest,
  all: readonly StoredSample[],
  { folds: nSplits, seed }: SweepOptions,
  configurations: readonly SweepConfiguration[],
): SweepPlan {
  const samples = all.filter(({ split }) => split === 'train');
  if (samples.length === all.length || samples.length === 0) {
    throw new PermafrostError(
      'FIT_INVALID',
      `${store} has ${all.length} images with features and needs both training and validation images. Look with "permafrost inspect".`,
    );
  }
  const labels = samples.map(({ label }) => label);
  const { classes, indices } = encodeLabels(labels);
  const folds = stratifiedKFold(labels, {
    keys: samples.map(({ path }) => path),
    groups: samples.map(({ sha256 }) => sha256),
    nSplits,
    seed,
  });
  checkFolds(classes, indices, folds);
  const train = samples.map(({ path, label, sha256 }) => [path, label, sha256]);
  const { fingerprint } = currentSet(store, manifest);
  const digest = shortDigest([fingerprint, train]);
  const ids = configurations.map((configuration) => {
    const { head, params, pooling, normalize, pca } = configuration;
    const id = shortDigest([
      RESULTS_VERSION,
      digest,
      nSplits,
      seed,
      { head, params, pooling, normalize, pca },
    ]);
    return [id, configuration] as const;
  });
  return { samples, y: indices, classes, folds, digest, configurations: new Map(ids) };
}

const shortDigest = (value: unknown): string => sha256Hex(canonicalJson(value)).slice(0, 16);

function checkFolds(classes: readonly string[], y: Int32Array, folds: readonly TrainVal[]): void {
  if (classes.length < 2) {
    throw new PermafrostError(
      'FIT_INVALID',
      `A sweep needs training images of two classes or more, found ${classes.length === 0 ? 'none' : classes.join()}. Add images of another class.`,
    );
  }
  const short = classes.filter((_, c) => folds.some(({ train }) => !train.some((i) => y[i] === c)));
  if (short.length > 0) {
    throw new PermafrostError(
      'FIT_INVALID',
      `Some fold has no training image of ${short.join(', ')}: a class needs two different images or more. Add images, or leave the class out.`,
    );
  }
  const empty = folds.filter(({ val }) => val.length === 0).length;
  if (empty > 0) {
    throw new PermafrostError(
      'FIT_INVALID',
      `${empty} of ${folds.length} folds hold out no image, for copies of one image stay together. Lower folds.`,
    );
  }
}

/** The features that the missing configurations need, in shared memory. */
async function sharedData(
  store: string,
  manifest: Manifest,
  { y, classes, folds }: SweepPlan,
  missing: readonly SweepConfiguration[],
): Promise<SweepData> {
  const features: { -readonly [P in Pooling]?: NonNullable<SweepData['features'][P]> } = {};
  for (const pooling of new Set(missing.map((one) => one.pooling))) {
    const { X } = (await loadFeatures(store, manifest, pooling, ['train'])).get('train')!;
    const data = new Float32Array(new SharedArrayBuffer(X.data.byteLength));
    data.set(X.data);
    features[pooling] = { data, rows: X.rows, cols: X.cols };
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

/** Configurations as jobs: one for each family of heads on each group of features, groups of wide features first. */
function jobsOf(configurations: readonly SweepConfiguration[]): SweepJob[] {
  const groups = new Map<
    string,
    { group: FeatureGroup; plans: { name: string; params: SweepConfiguration['params'] }[] }
  >();
  for (const { head, params, pooling, normalize, pca } of configurations) {
    const key = canonicalJson([pooling, normalize, pca]);
    const found = groups.get(key) ?? {
      group: { pooling, normalize: normalize as FeatureGroup['normalize'], pca },
      plans: [],
    };
    found.plans.push({ name: head, params });
    groups.set(key, found);
  }
  const width = ({ pooling, pca }: FeatureGroup): number => pca || (pooling === 'flatten' ? Infinity : 4096);
  return [...groups.values()]
    .sort((a, b) => (width(a.group) < width(b.group) ? 1 : width(a.group) > width(b.group) ? -1 : 0))
    .flatMap(({ group, plans }) => familiesOf(plans).map((family) => ({ group, family })));
}

const configurationOf = ({ group: { pooling, normalize, pca }, plan }: SweepFinding): SweepConfiguration => ({
  head: plan.name,
  params: plan.params,
  pooling,
  normalize,
  pca,
});

function idOf(configuration: SweepConfiguration, known: ReadonlyMap<string, SweepConfiguration>): string {
  const wanted = canonicalJson(configuration);
  for (const [id, one] of known) if (canonicalJson(one) === wanted) return id;
  throw new Error(`a worker answered for a configuration that it was not asked for: ${wanted}`);
}

function entryOf(
  id: string,
  configuration: SweepConfiguration,
  found: Exclude<SweepFinding['found'], { problem: string }>,
): LedgerEntry {
  const { scores, predictions, converged, iterations, fitMs } = found;
  const bytes = new DataView(new ArrayBuffer(2 * predictions.length));
  predictions.forEach((c, i) => bytes.setUint16(2 * i, c, true));
  return {
    id,
    ...configuration,
    params: { ...configuration.params },
    scores: structuredClone(scores) as LedgerEntry['scores'],
    fitMs,
    converged,
    iterations,
    predictions: Buffer.from(bytes.buffer).toString('base64'),
  };
}

/** The classes that an entry's training images got when they were held out, shape (n). */
function predictionsOf({ predictions }: LedgerEntry): Int32Array {
  const bytes = Buffer.from(predictions, 'base64');
  return Int32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i));
}

function candidateOf(entry: LedgerEntry, reused: boolean): SweepCandidate {
  const { id, head, params, pooling, normalize, pca, scores, fitMs, converged, iterations } = entry;
  const table = headEntry(head).options;
  const changed = Object.fromEntries(
    Object.entries(params).filter(([key, value]) => table[key]?.default !== value),
  );
  return { id, head, params, changed, pooling, normalize, pca, scores, fitMs, converged, iterations, reused };
}

/** The best first; equal ones in the order of log loss, then as in the grid. */
function ranked(
  { y, configurations }: SweepPlan,
  known: ReadonlyMap<string, LedgerEntry>,
  reused: ReadonlySet<string>,
  score: SweepScore,
): RankedCandidate[] {
  const sign = score === 'logLoss' ? 1 : -1;
  const entries = [...configurations.keys()]
    .flatMap((id) => known.get(id) ?? [])
    .sort(
      ({ scores: a }, { scores: b }) =>
        sign * (a[score].value - b[score].value) || a.logLoss.value - b.logLoss.value,
    );
  const compared = compareWithBest(y, entries.map(predictionsOf));
  return entries.map((entry, at) => ({
    ...candidateOf(entry, reused.has(entry.id)),
    rank: at + 1,
    ...compared[at]!,
  }));
}

function inGridOrder({ configurations }: SweepPlan, skipped: SweepResult['skipped']): SweepResult['skipped'] {
  const order = [...configurations.values()].map((one) => canonicalJson(one));
  const at = ({ head, params, pooling, normalize, pca }: SweepConfiguration): number =>
    order.indexOf(canonicalJson({ head, params, pooling, normalize, pca }));
  return [...skipped].sort((a, b) => at(a) - at(b));
}

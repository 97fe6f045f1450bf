import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { PermafrostError } from '../core/errors.ts';
import { resolveOptions } from '../core/options.ts';
import type { ExtractResult, Listener } from '../core/results.ts';
import { SPLITS, type Failure, type FeatureBatch, type Sample, type Split } from '../core/sample.ts';
import { contractId } from '../extract/contract.ts';
import type { Dataset } from '../extract/dataset.ts';
import { extractFeatures, type InferredBatch } from '../extract/pipeline.ts';
import { stageClock, type StageClock } from '../extract/stage-clock.ts';
import { MANIFEST_NAME, readManifest, type Manifest } from '../store/manifest.ts';
import { lockStore, type StoreLock } from '../store/lock.ts';
import type { FileTimes } from '../store/file-times.ts';
import { heldClasses } from '../store/held.ts';
import { setsWriter, type SetsWriter } from '../store/sets-writer.ts';
import { commitDataset, openForWriting, setFor, whyNotReused } from '../store/store.ts';
import { calibrationOf, requireAgreement } from './calibration.ts';
import { cutsText, parseCuts } from './cut-plan.ts';
import { openDataset } from './dataset.ts';
import { EXTRACT_OPTIONS, type ExtractOptions } from './extract-options.ts';
import { featureSource, type FeatureSource } from './feature-source.ts';
import { writeFailures } from './failures-file.ts';
import { tellLift } from './migrate.ts';
import { progressMeter } from './progress-meter.ts';
import { keepTimes, rememberedTimes } from './remembered-times.ts';
import { sampleContents, type SampleContents } from './sample-contents.ts';
import { VERSION } from './version.ts';

export interface Work {
  readonly signal?: AbortSignal | undefined;
  readonly listener?: Listener | undefined;
}

/** The store of a data set where the user names none: its name with `.permafrost`, in the current folder. */
export function defaultStore(dataset: string): string {
  return resolve(`${basename(resolve(dataset)).replace(/\.(csv|jsonl|ndjson)$/i, '')}.permafrost`);
}

interface Pass {
  readonly dataset: Dataset;
  readonly source: FeatureSource;
  readonly writer: SetsWriter;
  readonly times: FileTimes;
  readonly options: ExtractOptions;
  readonly clock: StageClock;
}

interface Found {
  readonly contents: SampleContents;
  readonly failed: Failure[];
  readonly extracted: number;
  /** Images that were known by size and times, without reading. */
  readonly unread: number;
}

/** Throws TOO_MANY_FAILURES where more images failed than `most`; -1: never. */
function requireFewFailures(failed: readonly Failure[], most: number): void {
  const last = failed.at(-1);
  if (most < 0 || last === undefined || failed.length <= most) return;
  throw new PermafrostError(
    'TOO_MANY_FAILURES',
    `${failed.length} images failed, more than --max-failures ${most}; the last: ${last.path}: ${last.reason} What was extracted is kept.`,
  );
}

/** The outputs of the network as batches of features, one for each set of the source. */
function batchesOf({ rows, outputs }: InferredBatch, { sets }: FeatureSource): FeatureBatch[] {
  let at = 0;
  return sets.map(({ poolings }) => ({
    rows,
    features: new Map(poolings.map((pooling) => [pooling, outputs[at++]!])),
  }));
}

/** One pass over the images: what is known is reused, the rest goes through the network into the writer. */
async function pass(
  { dataset, source, writer, times, options, clock }: Pass,
  { signal, listener }: Work,
): Promise<Found> {
  const contents = sampleContents(dataset.samples);
  const failed: Failure[] = [...dataset.failures];
  requireFewFailures(failed, options.maxFailures);
  let [extracted, unread] = [0, 0];
  const meter = progressMeter('extracting', dataset.samples.length, listener);
  const events = extractFeatures({
    root: dataset.root,
    samples: dataset.samples,
    contract: source.contract,
    executable: source.executable,
    prepare: () => source.executable.load(),
    clock,
    batch: options.batch,
    isKnown: (sha256) => writer.isKnown(sha256),
    memory: times,
    ...(signal && { signal }),
  });
  for await (const event of events) {
    if (event.kind === 'features') {
      await writer.append(batchesOf(event.batch, source));
      for (const row of event.batch.rows) contents.set(row.path, row.sha256);
      extracted += event.batch.rows.length;
      meter.advance(event.batch.rows.length, event.batch.rows.length);
    } else if (event.kind === 'known') {
      contents.set(event.sample.path, event.sha256);
      if (event.unread) unread++;
      meter.advance(1, 0);
    } else {
      failed.push(event.failure);
      meter.advance(1, 0);
      requireFewFailures(failed, options.maxFailures);
    }
  }
  if (signal?.aborted) {
    throw new PermafrostError(
      'INTERRUPTED',
      `Interrupted after ${extracted} extracted images, which are kept. Run the same command again to go on.`,
    );
  }
  return { contents, failed, extracted, unread };
}

/** Images by split, and the class names, of what has features. */
function summaryOf(samples: Iterable<Sample>): Pick<ExtractResult, 'splits' | 'classes'> {
  const counts = new Map<Split, number>();
  const classes = new Set<string>();
  for (const { split, label } of samples) {
    counts.set(split, (counts.get(split) ?? 0) + 1);
    classes.add(label);
  }
  const splits = SPLITS.flatMap((split) => (counts.has(split) ? [[split, counts.get(split)!] as const] : []));
  return { splits: Object.fromEntries(splits), classes: [...classes].sort() };
}

/**
 * Brings the features of a data set into its store: images whose bytes are there under the same settings are reused, the others are
 * extracted. Bad images are counted, not thrown. Throws what the parts throw, before any work where it can be known; INTERRUPTED and
 * TOO_MANY_FAILURES leave all sealed features in place.
 */
export async function extract(
  datasetPath: string,
  given: Partial<ExtractOptions> = {},
  work: Work = {},
): Promise<ExtractResult> {
  const options = resolveOptions('extract', EXTRACT_OPTIONS, given);
  const { listener } = work;
  const cuts = parseCuts(options.cut);
  const dataset = await openDataset(datasetPath, options);
  for (const warning of dataset.warnings) listener?.note?.(warning);
  const store = options.store === '' ? defaultStore(datasetPath) : resolve(options.store);
  const before = existsSync(join(store, MANIFEST_NAME)) ? await readManifest(store) : undefined;
  // Taken once it is known that the extraction can run: an engine that is missing leaves no folder behind.
  let lock: StoreLock | undefined;
  const locked = async (): Promise<StoreLock> => (lock ??= await lockStore(store, 'permafrost extract'));
  try {
    const int8 = { dataset, store, seed: options.seed, work };
    const source = await featureSource(
      {
        ...options,
        cuts,
        weights: options.weights || undefined,
        held: (settings) => (before === undefined ? [] : heldClasses(before, settings)),
        calibrate: async (target) => {
          await locked();
          return calibrationOf({ ...int8, manifest: await openForWriting(store, VERSION) }, target);
        },
      },
      listener,
    );
    await locked();
    return await extractInto(store, { dataset, source, options }, work);
  } finally {
    await lock?.release();
  }
}

export type Plan = Pick<Pass, 'dataset' | 'source' | 'options'>;

/** The extraction itself, into a store that is locked. Disposes the executable of `source`. */
export async function extractInto(
  store: string,
  { dataset, source, options }: Plan,
  work: Work,
): Promise<ExtractResult> {
  const manifest: Manifest = await openForWriting(store, VERSION);
  tellLift(manifest.version, work.listener);
  const because = source.sets.flatMap(
    ({ settings, poolings }) => whyNotReused(manifest, settings, poolings) ?? [],
  );
  const root = resolve(dataset.root);
  if (manifest.dataset.root !== '' && manifest.dataset.root !== root) {
    work.listener?.note?.(
      `The store held ${manifest.dataset.root}; it now holds ${root}. Features of the former are kept.`,
    );
  }
  const wanted = source.sets.map(({ settings, poolings, widths }) => ({
    set: setFor(manifest, settings, source.engine, widths),
    poolings,
  }));
  const times = await rememberedTimes(store, root, options.verify, work);
  const writer = await setsWriter({
    store,
    manifest,
    wanted,
    expectedRows: dataset.samples.length,
    shardBytes: options.shardMegabytes * 2 ** 20,
  });
  let clock: StageClock | undefined;
  let found: Found;
  try {
    await requireAgreement(
      { dataset, store, manifest, seed: options.seed, work },
      source,
      wanted.map(({ set }) => set),
      options.minCosine,
    );
    clock = stageClock();
    found = await pass({ dataset, source, writer, times, options, clock }, work);
  } finally {
    // Interrupted or failed, what left the network is kept.
    clock?.enter('write');
    await writer.seal().finally(() => source.executable.dispose());
  }
  const { contents, failed, extracted, unread } = found;
  const samples = contents.rows(writer.known);
  await commitDataset(store, manifest, { root, sets: wanted, samples, failures: failed });
  await keepTimes(times, work);
  await writeFailures(store, failed);
  const trace = clock.seconds();
  const images = dataset.samples.length + dataset.failures.length;
  return {
    dataset: root,
    store,
    images,
    extracted,
    reused: images - extracted - failed.length,
    unread,
    failed,
    extractedBecause: extracted > 0 && because.length > 0 ? [...new Set(because)].join('; ') : null,
    engine: source.engine,
    cosineToFp32: wanted[0]?.set.quantization?.cosine ?? null,
    contract: source.contract.name,
    contractId: contractId(source.contract),
    cut: cutsText(source.sets.map(({ settings: { cut }, poolings }) => ({ cut, poolings }))),
    dtype: options.dtype,
    weights: source.sets[0].settings.weights,
    ...summaryOf(samples),
    warnings: dataset.warnings,
    seconds: { load: trace.load, extract: trace.wait + trace.infer + trace.write },
    trace,
  };
}

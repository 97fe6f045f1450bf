import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { plural } from '../../core/words.ts';
import type { ExtractResult } from '../../results/extract-result.ts';
import { SPLITS, type Sample, type Split } from '../../core/sample.ts';
import { contractId } from '../../extract/contract.ts';
import { DECODER } from '../../extract/image/formats/decoder.ts';
import { stageClock } from '../../extract/stage-clock.ts';
import { MANIFEST_NAME, type FeatureSet } from '../../store/format/manifest.ts';
import { readManifest } from '../../store/format/manifest-file.ts';
import { lockStore, type StoreLock } from '../../store/write/lock.ts';
import type { SplitOrigin } from '../../store/format/split-origin.ts';
import { storedEngineClasses } from '../../store/read/stored-engine-classes.ts';
import { setsWriter } from '../../store/write/sets-writer.ts';
import { commitDataset, openForWriting, setFor, whyNotReused } from '../../store/write/store.ts';
import { calibrationOf, requireAgreement } from '../network/calibration.ts';
import { cutsText, parseCuts } from '../network/cuts.ts';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import type { ExtractOptions } from './options.ts';
import { afterDecoding } from './after-decoding.ts';
import { drawSplit, heldOutBefore, requireDrawn } from './draw-split.ts';
import { keptSplit } from './kept-split.ts';
import { pass, type Pass } from './pass.ts';
import { extractViews } from './views.ts';
import { makeExtractor } from '../network/extractor.ts';
import { tunedCoverings } from './tuned-coverings.ts';
import { keepLayers, tunedExtractor, type TunedFeatures } from './tuned-features.ts';
import { requireSameDataset } from './same-dataset.ts';
import { remarksInWords } from './remarks.ts';
import { writeFailures } from './failures-file.ts';
import { keepTimes, keptSketches, rememberedTimes } from './remembered-images.ts';
import { VERSION } from '../version.ts';
import type { Work } from '../work.ts';
import { reportMigration } from '../store-version.ts';

/** The store of a data set where the user names none: its name with `.permafrost`, in the current folder. */
export function defaultStore(dataset: string): string {
  return resolve(`${basename(resolve(dataset)).replace(/\.(csv|tsv|jsonl|ndjson)$/i, '')}.permafrost`);
}

/** Images by split, and the class names, of what has features. */
export function summaryOf(samples: Iterable<Sample>): Pick<ExtractResult, 'splits' | 'classes'> {
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
 * As `extract`, of a data set that was listed, with all options: by the frozen network, or by a tuned one, whose
 * features are then the primary ones.
 */
export async function extractDataset(
  datasetPath: string,
  dataset: Dataset,
  options: ExtractOptions,
  work: Work,
  network?: TunedFeatures,
): Promise<ExtractResult> {
  const { listener } = work;
  const cuts = parseCuts(options.cut);
  requireDrawn(dataset, options);
  for (const warning of dataset.warnings) listener?.note?.(warning);
  const store = options.store === '' ? defaultStore(datasetPath) : resolve(options.store);
  const before = existsSync(join(store, MANIFEST_NAME)) ? await readManifest(store) : undefined;
  if (before !== undefined)
    await requireSameDataset({ path: store, manifest: before }, dataset, { named: options.store !== '' }, work);
  // Taken once it is known that the extraction can run: an engine that is missing leaves no folder behind.
  let lock: StoreLock | undefined;
  const locked = async (): Promise<StoreLock> => (lock ??= await lockStore(store, 'permafrost extract'));
  try {
    const extractor = await (network === undefined
      ? makeExtractor(
          {
            ...options,
            cuts,
            storedClasses: (settings) => (before === undefined ? [] : storedEngineClasses(before, settings)),
            calibrate: async (target) => {
              await locked();
              const draft = await openForWriting(store, VERSION);
              const except = await heldOutBefore(dataset, draft, options, work);
              const { seed, threads } = options;
              return calibrationOf({ dataset, store: draft, seed, except, threads, work }, target);
            },
          },
          listener,
        )
      : tunedExtractor(network, cuts, options, work));
    await locked();
    return await extractInto(store, { dataset, extractor, options }, work);
  } finally {
    await lock?.release();
  }
}

/** Names of cuts that are extracted of the views too; the others are of the images themselves alone. */
export type ViewCuts = readonly string[] | undefined;

/** What is extracted into a store. */
interface ExtractionInto extends Pick<Pass, 'dataset' | 'extractor' | 'options'> {
  /** How its splits came about, where it has been decided before; else they are drawn where it names none. */
  readonly split?: SplitOrigin | undefined;
  /** By default all cuts. */
  readonly viewCuts?: ViewCuts;
}

/** The extraction itself, into a store that is locked. Disposes the executable of `extractor`. */
export async function extractInto(
  path: string,
  { dataset, extractor, options, split, viewCuts }: ExtractionInto,
  work: Work,
): Promise<ExtractResult> {
  const store = await openForWriting(path, VERSION);
  const { manifest } = store;
  reportMigration(manifest.version, work.listener);
  const because = extractor.sets.flatMap(({ settings, poolings }) => whyNotReused(manifest, settings, poolings) ?? []);
  const root = resolve(dataset.root);
  const wanted = extractor.sets.map(({ settings, poolings, widths }) => ({
    set: setFor(manifest, settings, extractor.engine, widths),
    poolings,
  }));
  for (const { set } of wanted) if (extractor.tuned !== undefined) await keepLayers(path, set, extractor.tuned);
  const kept = dataset.hasSplits ? undefined : await keptSplit(store, work);
  const times = await rememberedTimes(path, root, options.verify, work);
  const into = { store, shardBytes: options.shardMegabytes * 2 ** 20, decoder: DECODER };
  const writer = await setsWriter({ ...into, wanted, expectedRows: dataset.samples.length });
  try {
    await requireAgreement(
      { dataset, store, seed: options.seed, threads: options.threads, work },
      extractor,
      wanted.map(({ set }) => set),
      options.minCosine,
    );
    const clock = stageClock();
    const plan = { dataset, extractor, times, options, clock };
    const sketches = await keptSketches(path, extractor.contract);
    const seen = await pass({ ...plan, writer, onPixels: sketches.add }, work).finally(() => sketches.keep(work));
    const drawn = drawSplit(dataset, seen.contents, kept, options);
    for (const remark of drawn.remarks) work.listener?.note?.(remark);
    const found = { ...seen, contents: drawn.contents };
    const { contents, failed, extracted, unread } = found;
    const listed = contents.rows(writer.known);
    const tuned = await tunedCoverings(store, listed, wanted, work);
    const whole = { root, sets: wanted, tuned, failures: failed, split: split ?? drawn.origin };
    await commitDataset(store, { ...whole, samples: listed });
    const isViewed = ({ settings }: FeatureSet): boolean => viewCuts?.includes(settings.cut) ?? true;
    // A set stays in its place, of which no pooling is wanted: networks are numbered as the sets are.
    const viewed = wanted.map(({ set, poolings }) => ({ set, poolings: isViewed(set) ? poolings : [] }));
    const views = await extractViews({ ...plan, dataset: drawn.dataset }, { ...into, wanted: viewed, found }, work);
    const samples = contents.rows(writer.known);
    const { warnings: losses, inTrainToo } = afterDecoding(drawn.dataset, contents);
    const { oneColour, warnings: odd } = remarksInWords(
      extractor.contract,
      drawn.dataset.samples,
      contents,
      found.remarks,
    );
    const warnings = [...losses, ...odd];
    for (const warning of warnings) work.listener?.note?.(warning);
    if (views !== undefined) await commitDataset(store, { ...whole, samples, views: views.sets });
    await keepTimes(times, work);
    await writeFailures(path, failed);
    clock.enter('write');
    const trace = clock.seconds();
    if (writer.outdated > 0)
      because.push(`decoder: ${plural(writer.outdated, 'file')} of a kind that this version decodes otherwise`);
    const images = dataset.samples.length + dataset.failures.length;
    return {
      dataset: root,
      store: path,
      images,
      extracted,
      reused: images - extracted - failed.length,
      unread,
      failed,
      extractedBecause: extracted > 0 && because.length > 0 ? [...new Set(because)].join('; ') : null,
      views: views?.result ?? null,
      engine: extractor.engine,
      cosineToFp32: wanted[0]?.set.quantization?.cosine ?? null,
      contract: extractor.contract.name,
      contractId: contractId(extractor.contract),
      cut: cutsText(extractor.sets.map(({ settings: { cut }, poolings }) => ({ cut, poolings }))),
      dtype: options.dtype,
      weights: extractor.sets[0].settings.weights,
      ...summaryOf(samples),
      warnings: [...dataset.warnings, ...drawn.remarks, ...warnings],
      ...(inTrainToo && { inTrainToo }),
      ...(oneColour.length > 0 && { oneColour }),
      seconds: { load: trace.load, extract: trace.wait + trace.infer + trace.write },
      trace,
    };
  } finally {
    await extractor.executable.dispose();
  }
}

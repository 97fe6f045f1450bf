import { plural } from '../../core/words.ts';
import { SPLITS, type Sample, type Split } from '../../core/sample.ts';
import { contractId, contractLabel } from '../../extract/contract.ts';
import { withSourceOf } from '../../extract/dataset/dataset.ts';
import { DECODER } from '../../extract/image/formats/decoder.ts';
import type { Remark } from '../../extract/image/remarks.ts';
import type { ImageSource } from '../../extract/source/image-source.ts';
import { absoluteRoot } from '../../extract/source/place.ts';
import { stageClock } from '../../extract/stage-clock.ts';
import type { ExtractResult } from '../../results/extract-result.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import type { SplitOrigin } from '../../store/format/split-origin.ts';
import { setsWriter } from '../../store/write/sets-writer.ts';
import { unitRows } from '../../store/write/shard-rows.ts';
import { commitDataset, openForWriting, setFor, whyNotReused } from '../../store/write/store.ts';
import { requireAgreement } from '../network/calibration.ts';
import { cutsText } from '../network/cuts.ts';
import { labelOf } from '../network/frozen-network.ts';
import { afterDecoding } from './after-decoding.ts';
import { drawSplit } from './draw-split.ts';
import { keptSplit } from './kept-split.ts';
import { pass, type Pass } from './pass.ts';
import { extractViews, type ElsewhereByPass } from './views.ts';
import { coveringNetworks } from './covering-networks.ts';
import { tunedCoverings } from './tuned/tuned-coverings.ts';
import { keepLayers } from './tuned/tuned-features.ts';
import { remarksInWords } from './remarks.ts';
import { writeFailures } from './failures-file.ts';
import { keepTimes, keptSketches, rememberedTimes } from './remembered-images.ts';
import { VERSION } from '../version.ts';
import type { Work } from '../work.ts';
import { noteStaleAnswers } from '../stale-answers.ts';
import { reportMigration } from '../store-version.ts';

/** Images by split, and the class names, of what has features. */
export function summaryOf(
  samples: Iterable<Pick<Sample, 'label' | 'split'>>,
): Pick<ExtractResult, 'splits' | 'classes'> {
  const counts = new Map<Split, number>();
  const classes = new Set<string>();
  for (const { split, label } of samples) {
    counts.set(split, (counts.get(split) ?? 0) + 1);
    classes.add(label);
  }
  const splits = SPLITS.flatMap((split) => (counts.has(split) ? [[split, counts.get(split)!] as const] : []));
  return { splits: Object.fromEntries(splits), classes: [...classes].sort() };
}

/** Names of cuts that are extracted of the views too; the others are of the images themselves alone. */
export type ViewCuts = readonly string[] | undefined;

/** What is extracted into a store. */
interface ExtractionInto extends Pick<Pass, 'dataset' | 'extractor' | 'options'> {
  /** What the images are read from. Default: opened from the data set, and closed at the end. */
  readonly source?: ImageSource | undefined;
  /** How its splits came about, where it has been decided before; else they are drawn where it names none. */
  readonly split?: SplitOrigin | undefined;
  /** The positions of the samples in the listing that units are cut of. Default: they are all of it. */
  readonly positions?: Uint32Array;
  /** By default all cuts. */
  readonly viewCuts?: ViewCuts;
  /** Whether features of these images by the network of a set are extracted into the store at once. Default: none. */
  readonly isNext?: (set: FeatureSet) => boolean;
  /**
   * By pass (0: the images themselves, then view 1, 2 ...) the contents whose features another store has. They are
   * listed here, without facts of their headers, and not extracted.
   */
  readonly elsewhere?: ElsewhereByPass | undefined;
  /** False where the store is not to remember size and times of the files: they are of this machine alone. */
  readonly remembersTimes?: boolean;
}

/** What was extracted, and what of it a store of several extractions is put together with. */
export interface Extraction {
  readonly result: ExtractResult;
  /** How many of the failures each pass found: of the images themselves (with those that were listed), then a view. */
  readonly failedByPass: readonly number[];
  /** What is odd about images that were extracted now, by the SHA-256 of their bytes. */
  readonly remarks: ReadonlyMap<string, Remark>;
  /** Images that are listed, and whose features another store has. */
  readonly elsewhere: number;
}

function countWhere<T>(some: Iterable<T>, isCounted: (one: T) => boolean): number {
  let count = 0;
  for (const one of some) count += Number(isCounted(one));
  return count;
}

/** The extraction itself, into a store that is locked. The caller disposes the executable of `extractor`. */
export async function extractInto(path: string, extraction: ExtractionInto, work: Work): Promise<Extraction> {
  const from = (source: ImageSource): Promise<Extraction> => extractFrom(source, path, extraction, work);
  return extraction.source === undefined ? withSourceOf(extraction.dataset, from) : from(extraction.source);
}

async function extractFrom(
  source: ImageSource,
  path: string,
  {
    dataset,
    extractor,
    options,
    split,
    positions,
    viewCuts,
    isNext = () => false,
    elsewhere,
    remembersTimes = true,
  }: ExtractionInto,
  work: Work,
): Promise<Extraction> {
  const store = await openForWriting(path, VERSION);
  const { manifest } = store;
  const from = manifest.version;
  const because = extractor.sets.flatMap(({ settings, poolings }) => whyNotReused(manifest, settings, poolings) ?? []);
  const root = absoluteRoot(dataset.root);
  const wanted = extractor.sets.map(({ settings, poolings, widths }) => ({
    set: setFor(manifest, { settings, widths, engine: extractor.engine, network: labelOf(extractor.network) }),
    poolings,
  }));
  for (const { set } of wanted) if (extractor.tuned !== undefined) await keepLayers(path, set, extractor.tuned);
  const kept = dataset.hasSplits ? undefined : await keptSplit(store, work);
  const times = await rememberedTimes(path, root, options.verify, work);
  const shardBytes = options.shardMegabytes * 2 ** 20;
  const into = { store, shardBytes, decoder: DECODER, goesOn: true };
  const units = { size: unitRows(extractor.sets, shardBytes), positions };
  const expectedRows = Math.min(dataset.samples.length, units.size);
  const writer = await setsWriter({ ...into, wanted, expectedRows, elsewhere: elsewhere?.(0) });
  await requireAgreement(
    { dataset, source, store, seed: options.seed, threads: options.threads, work },
    extractor,
    wanted.map(({ set }) => set),
    options.minCosine,
  );
  const clock = stageClock();
  const plan = { dataset, units, source, extractor, times, options, clock };
  const sketches = await keptSketches(path, extractor.contract);
  const seen = await pass({ ...plan, writer, onPixels: sketches.add }, work).finally(() => sketches.keep(work));
  const drawn = drawSplit(dataset, seen.contents, kept, options);
  for (const remark of drawn.remarks) work.listener?.note?.(remark);
  const found = { ...seen, contents: drawn.contents };
  const { contents, failed, extracted, unread } = found;
  const failedFirst = failed.length;
  const listed = contents.rows(writer.known);
  const tuned = await tunedCoverings(store, listed, wanted, work);
  const others = await coveringNetworks(store, listed, wanted, isNext, work);
  const whole = { root, sets: wanted, tuned, others, failures: failed, split: split ?? drawn.origin };
  noteStaleAnswers(await commitDataset(store, { ...whole, samples: listed }), work.listener);
  const isViewed = ({ settings }: FeatureSet): boolean => viewCuts?.includes(settings.cut) ?? true;
  // A set stays in its place, of which no pooling is wanted: networks are numbered as the sets are.
  const viewed = wanted.map(({ set, poolings }) => ({ set, poolings: isViewed(set) ? poolings : [] }));
  const views = await extractViews(
    { ...plan, dataset: drawn.dataset },
    { ...into, wanted: viewed, found, elsewhere },
    work,
  );
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
  if (views !== undefined)
    noteStaleAnswers(await commitDataset(store, { ...whole, samples, views: views.sets }), work.listener);
  reportMigration(from, manifest, work.listener);
  if (remembersTimes) await keepTimes(times, work);
  await writeFailures(path, failed);
  clock.enter('write');
  const trace = clock.seconds();
  if (writer.outdated > 0)
    because.push(`decoder: ${plural(writer.outdated, 'file')} of a kind that this version decodes otherwise`);
  const images = dataset.samples.length + dataset.failures.length;
  const result: ExtractResult = {
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
    contract: contractLabel(extractor.contract, extractor.network.backbone.name),
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
  const lent = elsewhere === undefined ? 0 : countWhere(samples, ({ sha256 }) => writer.known.find(sha256) < 0);
  return { result, failedByPass: [failedFirst, ...(views?.failed ?? [])], remarks: found.remarks, elsewhere: lent };
}

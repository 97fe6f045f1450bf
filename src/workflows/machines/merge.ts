import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import type { Failure } from '../../core/sample.ts';
import { plural } from '../../core/words.ts';
import type { Contract } from '../../core/contract.ts';
import type { ExtractResult } from '../../results/extract-result.ts';
import type { MergeResult } from '../../results/machines-result.ts';
import type { StoreDraft } from '../../store/format/manifest.ts';
import { writeManifest } from '../../store/format/manifest-file.ts';
import type { SplitOrigin } from '../../store/format/split-origin.ts';
import { lockStore } from '../../store/write/lock.ts';
import { sealUnsealed } from '../../store/write/seal-unsealed.ts';
import type { WantedDraft } from '../../store/write/sets-writer.ts';
import { commitDataset, openForWriting, setFor } from '../../store/write/store.ts';
import { afterDecoding } from '../extract/after-decoding.ts';
import { drawHeldOut } from '../extract/draw-split.ts';
import { summaryOf } from '../extract/extract-into.ts';
import { writeFailures } from '../extract/failures-file.ts';
import { keptSplit } from '../extract/kept-split.ts';
import { requireFewFailures } from '../extract/pass.ts';
import { remarksInWords } from '../extract/remarks.ts';
import { NO_CONTENT } from '../extract/sample-contents.ts';
import { coveringNetworks } from '../extract/covering-networks.ts';
import { tunedCoverings } from '../extract/tuned/tuned-coverings.ts';
import { cutsText } from '../network/cuts.ts';
import { progressMeter } from '../progress-meter.ts';
import { noteStaleAnswers } from '../stale-answers.ts';
import { reportMigration } from '../store-version.ts';
import { VERSION } from '../version.ts';
import { lockRequest } from '../take-over.ts';
import type { Work } from '../work.ts';
import { arraySpec } from './array-spec.ts';
import { listedRows, mergedImages, type MergedImages } from './merged-images.ts';
import { mergeImages, mergeViews, writerFor } from './merge-features.ts';
import { readFinished, stopBeforeMerge, type FinishedUnits } from './finished-units.ts';
import { MERGE_OPTIONS, type MergeOptions } from './options.ts';
import { plannedOptions, type PlanFolder } from './plan-file.ts';
import { requireSamePermafrost } from './planned-extractor.ts';
import { findRun, markMerged, removeLeavings, removeRun } from './runs.ts';
import { sharedAt, withSharedUnits } from './s3/shared-plan.ts';
import { publishedUnits } from './unit-folder.ts';
import { imagesOfUnit, openLists } from './unit-lists.ts';

/** Throws UNITS_MISSING, with the indices that an array job is to run again. */
function requireAll({ path, plan }: PlanFolder, missing: readonly number[]): void {
  if (missing.length === 0) return;
  const { parts, units } = plan;
  const indices = new Set(missing.map((unit) => unit % parts));
  const again =
    parts === 1
      ? `permafrost extract --plan ${path} --part 1/1`
      : `an array job with the indices ${arraySpec(indices)} (as sbatch --array=${arraySpec(indices)}), or permafrost extract --plan ${path} --part ${Math.min(...indices) + 1}/${parts}`;
  throw new PermafrostError(
    'UNITS_MISSING',
    `${missing.length} of ${plural(units.count, 'unit')} are missing: ${arraySpec(missing)}. Nothing was merged. Extract them: ${again}. Finished units are skipped. Or merge what is there with --allow-missing.`,
  );
}

/** Brings the units of a shared plan here; those that are here stay. */
async function fetchUnits(
  { path, plan }: PlanFolder,
  at: string,
  published: ReadonlySet<number>,
  { signal, listener }: Work,
): Promise<void> {
  const meter = progressMeter('fetching units', published.size, listener, 'units');
  const here = await publishedUnits(path);
  await withSharedUnits(at, plan.run, async (units) => {
    for (const unit of published) {
      stopBeforeMerge(signal);
      if (!here.has(unit)) await units.fetch(unit, path);
      meter.advance(1, 1);
    }
  });
}

/**
 * Makes the store of a run out of its finished units: features, list of images, failures and sketches as a run on one
 * machine makes them, byte by byte. Features that the store holds stay. A merge that was killed is run again. Throws
 * PLAN_NOT_FOUND, UNITS_MISSING, STORE_LOCKED, STORE_CORRUPT, STORE_WRITE, FINGERPRINT_MISMATCH (a unit of another
 * engine), TOO_MANY_FAILURES and INTERRUPTED.
 */
export async function merge(
  storePath: string,
  given: Partial<MergeOptions> = {},
  work: Work = {},
): Promise<MergeResult> {
  const { run, allowMissing, keepParts } = resolveOptions('merge', MERGE_OPTIONS, given);
  const started = performance.now();
  const store = resolve(storePath);
  await removeLeavings(store);
  const folder = await findRun(store, run);
  const { plan } = folder;
  requireSamePermafrost(plan);
  const at = await sharedAt(folder.path);
  const published =
    at === undefined ? await publishedUnits(folder.path) : await withSharedUnits(at, plan.run, (s) => s.published());
  const numbers = Array.from({ length: plan.units.count }, (_, unit) => unit);
  const missing = numbers.filter((unit) => !published.has(unit));
  if (!allowMissing) requireAll(folder, missing);
  const lock = await lockStore(store, 'permafrost merge', lockRequest(work));
  try {
    if (at !== undefined) await fetchUnits(folder, at, published, work);
    const finished = await readFinished(
      folder,
      numbers.filter((unit) => published.has(unit)),
      work,
    );
    const failed = [...plan.dataset.failures, ...finished.failures.flat()];
    requireFewFailures(failed, plannedOptions(plan).maxFailures);
    const merged = await mergeInto(store, folder, finished, failed, work);
    const missingImages = missing.reduce((sum, unit) => sum + imagesOfUnit(plan, unit), 0);
    const warnings = [
      ...merged.warnings,
      ...remarksOnMachines(finished, plural(missing.length, 'unit'), missingImages),
    ];
    for (const warning of warnings) work.listener?.note?.(warning);
    const isKept = keepParts || missing.length > 0;
    if (!isKept && at !== undefined)
      work.listener?.note?.(
        `Plan and units at ${at} are not needed any more: remove them there (aws s3 rm --recursive ${at}/).`,
      );
    if (!isKept) await removeRun(store, plan.run);
    else if (missing.length === 0) await markMerged(folder);
    return {
      store,
      run: plan.run,
      dataset: plan.dataset.root,
      units: plan.units.count,
      missingUnits: missing.length,
      missingImages,
      images: plan.dataset.images + plan.dataset.failures.length,
      ...merged,
      failed,
      cut: cutsText(plan.sets.map(({ settings: { cut }, poolings }) => ({ cut, poolings }))),
      engine: plan.engine,
      processors: finished.processors,
      warnings,
      keptParts: isKept,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await lock.release();
  }
}

/** What of the machines that took part is to be told. */
function remarksOnMachines({ processors }: FinishedUnits, units: string, missingImages: number): string[] {
  return [
    ...(processors.length > 1
      ? [
          `${processors.length} kinds of processors took part (${processors.join('; ')}): their features agree to the last digits, and equal bytes are promised for one kind only.`,
        ]
      : []),
    ...(missingImages > 0
      ? [
          `${units} with ${plural(missingImages, 'image')} are missing: the store does not list these images until they are extracted and merged.`,
        ]
      : []),
  ];
}

/** The planned sets, in the manifest of the store, with what those of int8 rest on. */
async function wantedSets(store: StoreDraft, { path, plan }: PlanFolder): Promise<WantedDraft[]> {
  const wanted: WantedDraft[] = [];
  for (const { poolings, quantization, ...planned } of plan.sets) {
    const set = setFor(store.manifest, { ...planned, engine: plan.engine });
    if (quantization !== undefined && set.quantization === undefined) {
      const { name } = quantization.calibration;
      await copyFile(join(path, name), join(store.path, name));
      set.quantization = structuredClone(quantization);
    }
    wanted.push({ set, poolings });
  }
  return wanted;
}

async function mergeInto(
  path: string,
  folder: PlanFolder,
  finished: FinishedUnits,
  failed: readonly Failure[],
  work: Work,
) {
  const { plan } = folder;
  const { units } = finished;
  const options = plannedOptions(plan);
  const store = await openForWriting(path, VERSION);
  const from = store.manifest.version;
  const wanted = await wantedSets(store, folder);
  await writeManifest(store);
  await sealUnsealed(store);
  const kept = plan.dataset.hasSplits ? undefined : await keptSplit(store, work);
  const into = { store, plan, options, units, wanted };
  const writer = await writerFor(into, wanted);
  const images = mergedImages(plan.dataset.images, writer.known);
  const counts = await mergeImages(into, writer, images, openLists(folder), work);
  const draw = plan.dataset.hasSplits ? undefined : drawHeldOut(images, kept, options);
  if (draw !== undefined) images.holdOut(draw.held);
  const isHeldOut = (sha256: string): boolean => draw !== undefined && draw.held[images.index.find(sha256)] === 1;
  const samples = images.rows();
  const tuned = await tunedCoverings(store, samples, wanted, work);
  const others = await coveringNetworks(store, samples, wanted, () => false, work);
  const views = await mergeViews(into, isHeldOut, counts, work);
  const split: SplitOrigin = draw?.origin ?? { by: 'dataset' };
  const root = plan.dataset.root;
  const dataset = { root, sets: wanted, tuned, others, views, samples, split, failures: failed };
  noteStaleAnswers(await commitDataset(store, dataset), work.listener);
  reportMigration(from, store.manifest, work.listener);
  await writeFailures(path, failed);
  const { warnings, inTrainToo } = afterDecoding({ samples: images.listed, hasSplits: plan.dataset.hasSplits }, images);
  return {
    ...counts,
    ...summaryOf(found(images)),
    ...(inTrainToo && { inTrainToo }),
    warnings: [...(draw?.remarks ?? []), ...warnings, ...oddImages(finished, plan.sets[0]!.settings.contract)],
  } satisfies Partial<ExtractResult & MergeResult>;
}

/** The images that have features, by class and split. */
function* found({ listed, numbers }: MergedImages) {
  let i = 0;
  for (const image of listed) if (numbers[i++] !== NO_CONTENT) yield image;
}

/** What is odd about some images, in words. */
function oddImages({ units, remarks }: FinishedUnits, contract: Contract): readonly string[] {
  if (remarks.size === 0) return [];
  const contents = new Map<string, string>();
  for (const unit of units)
    for (const { path, sha256 } of listedRows(unit)) if (remarks.has(sha256)) contents.set(path, sha256);
  const samples = Array.from(contents.keys(), (path) => ({ path }));
  return remarksInWords(contract, samples, contents, remarks).warnings;
}

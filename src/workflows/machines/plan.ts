import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { resolveOptions, without } from '../../core/options.ts';
import { plural } from '../../core/words.ts';
import { withSourceOf, type Dataset } from '../../extract/dataset/dataset.ts';
import { DECODER } from '../../extract/image/formats/decoder.ts';
import type { ImageSource } from '../../extract/source/image-source.ts';
import { absoluteRoot } from '../../extract/source/place.ts';
import type { PlanResult } from '../../results/machines-result.ts';
import { fingerprintOf } from '../../store/format/fingerprint.ts';
import {
  MANIFEST_NAME,
  newManifest,
  settingsSchema,
  STORE_VERSION,
  type FeatureSetDraft,
  type Manifest,
} from '../../store/format/manifest.ts';
import { readManifest } from '../../store/format/manifest-file.ts';
import { storedEngineClasses } from '../../store/read/stored-engine-classes.ts';
import { writeCalibration } from '../../store/read/calibration-file.ts';
import { readVerified } from '../../store/read/file.ts';
import { lockStore, type StoreLock } from '../../store/write/lock.ts';
import { unitRows } from '../../store/write/shard-rows.ts';
import { requireStoreOrEmpty } from '../../store/write/store.ts';
import { heldOutBefore, requireDrawn } from '../extract/draw-split.ts';
import { defaultStore } from '../extract/extract-dataset.ts';
import { EXTRACT_DEFAULTS, type ExtractOptions } from '../extract/options.ts';
import { isExtracted } from '../extract/is-extracted.ts';
import { requireSameDataset } from '../extract/same-dataset.ts';
import { viewsRequest } from '../extract/views.ts';
import { calibrationOf, requireAgreement } from '../network/calibration.ts';
import { cutsText, parseCuts } from '../network/cuts.ts';
import { frozenNetwork, labelOf, type FrozenNetwork } from '../network/frozen-network.ts';
import { openDataset } from '../network/dataset.ts';
import { makeExtractor, type Extractor } from '../network/extractor.ts';
import { VERSION } from '../version.ts';
import { lockRequest } from '../take-over.ts';
import type { Work } from '../work.ts';
import { PLAN_OPTIONS, type PlanOptions } from './options.ts';
import { knownContents, writeKnown } from './known-contents.ts';
import { newPlan, planFolder, readPlan, writePlan, type Plan, type PlanFolder } from './plan-file.ts';
import { chooseProbe, leastCosine, writeProbe } from './probe.ts';
import { openOwnPlan, sharePlan } from './s3/shared-plan.ts';
import { describeLists, writeLists } from './unit-lists.ts';

/** What is planned: a data set that was listed, and the store that its features are for. */
interface Planning {
  readonly dataset: Dataset;
  readonly source: ImageSource;
  readonly store: string;
  /** The store's manifest; undefined where it is not there yet. */
  readonly before: Manifest | undefined;
  readonly options: ExtractOptions;
  readonly parts: number;
  readonly unit: number;
}

/**
 * Lists a data set once and writes, into its store, a plan by which any number of machines extract it: settings, engine
 * and precision, units, int8 calibration, and a probe that every machine is compared by. Planning the same again gives
 * the same bytes and keeps finished units. Throws what `extract` throws before its work, STORE_LOCKED, and
 * NOTHING_TO_PLAN.
 */
export async function plan(
  datasetPath: string,
  given: Partial<PlanOptions> = {},
  work: Work = {},
): Promise<PlanResult> {
  const planned = resolveOptions('plan', PLAN_OPTIONS, given);
  const network = await frozenNetwork(planned, work.listener);
  parseCuts(planned.cut, network.backbone);
  const dataset = await openDataset(datasetPath, planned);
  return withSourceOf(dataset, (source) => planFrom(source, datasetPath, dataset, planned, network, work));
}

async function planFrom(
  source: ImageSource,
  datasetPath: string,
  dataset: Dataset,
  { parts, unit, at, again, ...planned }: PlanOptions,
  network: FrozenNetwork,
  work: Work,
): Promise<PlanResult> {
  const cuts = parseCuts(planned.cut, network.backbone);
  const options = {
    ...EXTRACT_DEFAULTS,
    ...planned,
    cut: planned.cut || cutsText(cuts),
    contract: network.contract.name,
    weights: planned.weights && resolve(planned.weights),
  };
  viewsRequest(options);
  requireDrawn(dataset, options);
  for (const warning of dataset.warnings) work.listener?.note?.(warning);
  const store = options.store === '' ? defaultStore(datasetPath) : resolve(options.store);
  const before = existsSync(join(store, MANIFEST_NAME)) ? await readManifest(store) : undefined;
  if (before !== undefined)
    await requireSameDataset({ path: store, manifest: before }, dataset, { named: options.store !== '', source }, work);
  const folder = { path: store, manifest: before ?? newManifest(VERSION) };
  let lock: StoreLock | undefined;
  const extractor = await makeExtractor(
    {
      ...options,
      network,
      cuts,
      storedClasses: (settings) => (before === undefined ? [] : storedEngineClasses(before, settings)),
      calibrate: async (target) => {
        const except = await heldOutBefore(dataset, folder, options, work);
        const { seed, threads } = options;
        return calibrationOf({ dataset, source, store: folder, seed, except, threads, work }, target);
      },
    },
    work.listener,
  );
  try {
    if (!again && before !== undefined && (await isExtracted(folder, dataset, extractor, options.views, work)))
      throw new PermafrostError(
        'NOTHING_TO_PLAN',
        `${store} has the features of all ${plural(dataset.samples.length, 'image')} of ${datasetPath}, by their paths. "permafrost extract ${datasetPath} --store ${store}" reads what changed since then. To read all of them again on several machines, give --again.`,
      );
    // Taken once it is known that the extraction can run: an engine that is missing leaves no folder behind.
    await requireStoreOrEmpty(store);
    lock = await lockStore(store, 'permafrost plan', lockRequest(work));
    const made = await writeNewPlan({ dataset, source, store, before, options, parts, unit }, extractor, work);
    const shared = await sharePlan(made, at);
    return await resultOf(made, store, dataset, shared);
  } finally {
    await extractor.executable.dispose();
    await lock?.release();
  }
}

/** Options that a plan does not carry: where things are, what is of one machine, and the engine, which was chosen. */
const NOT_CARRIED = [
  'store',
  'labels',
  'verify',
  'backbone',
  'backboneFile',
  'engine',
  'device',
  'precision',
  'threads',
] as const;

/** The wanted sets, as a manifest would have them, without shards. */
function setsOf({ sets, engine, network }: Extractor, before: Manifest | undefined): FeatureSetDraft[] {
  const label = labelOf(network);
  return sets.map(({ settings, widths }): FeatureSetDraft => {
    const fingerprint = fingerprintOf(settings);
    const known = before?.sets.find((set) => set.fingerprint === fingerprint)?.quantization;
    return {
      fingerprint,
      settings: settingsSchema.parse(settings),
      engine: { ...engine },
      network: label && { ...label },
      widths: { ...widths },
      // What the store measured once counts.
      quantization: known && { calibration: { ...known.calibration }, cosine: { ...known.cosine } },
      shards: [],
    };
  });
}

async function writeNewPlan(planning: Planning, extractor: Extractor, work: Work): Promise<PlanFolder> {
  const { dataset, source, store, before, options, parts } = planning;
  const sets = setsOf(extractor, before);
  const wanted = sets.map((set, i) => ({ ...set, poolings: [...extractor.sets[i]!.poolings] }));
  const unitSize = planning.unit === 0 ? unitRows(wanted, options.shardMegabytes * 2 ** 20) : planning.unit;
  const listing = { samples: dataset.samples, unitSize };
  const shared = {
    store: STORE_VERSION,
    decoder: DECODER,
    engine: sets[0]!.engine,
    options: without(options, ...NOT_CARRIED),
    units: { size: unitSize, count: Math.ceil(dataset.samples.length / unitSize) },
    lists: describeLists(listing),
  };
  const { hasSplits, failures } = dataset;
  const decides = {
    ...shared,
    hasSplits,
    failures,
    sets: wanted.map(({ settings, poolings }) => ({ settings, poolings })),
  };
  const run = sha256Hex(canonicalJson(decides)).slice(0, 16);
  const path = planFolder(store, run);
  const root = absoluteRoot(dataset.root);
  const held = before && (await knownContents({ path: store, manifest: before }, { wanted, options, hasSplits }, work));
  const writtenKnown = async (): Promise<Pick<Plan, 'known'>> =>
    held === undefined ? {} : { known: { contents: held[0]!.decoders.length, file: await writeKnown(path, held) } };
  const same = await samePlan(path, work);
  if (same !== undefined) {
    await writeLists(path, listing);
    work.listener?.note?.(`The same was planned before (run ${run}): its finished units are kept.`);
    const rest = without(same, 'format', 'version', 'known');
    const again = {
      path,
      plan: newPlan({ ...rest, parts, dataset: { ...same.dataset, root }, ...(await writtenKnown()) }),
    };
    if (canonicalJson(again.plan) !== canonicalJson(same)) await writePlan(again);
    return again;
  }
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw new PermafrostError(
      'STORE_WRITE',
      `${path} cannot be made: ${reasonOf(cause)}. Give permission, or give another folder with --store.`,
      { cause },
    );
  });
  const folder = { path, manifest: newManifest(VERSION) };
  const { seed, threads } = options;
  const images = { dataset, source, store: folder, seed, threads, work };
  await requireAgreement(images, extractor, sets, options.minCosine);
  // What the store had measured before has its file there alone.
  for (const { calibration } of extractor.sets)
    if (calibration !== undefined) await writeCalibration(path, calibration);
  await writeLists(path, listing);
  const { path: image, bytes } = await chooseProbe(source, dataset.samples, extractor.contract);
  const file = await writeProbe(path, bytes, extractor);
  const planned: PlanFolder = {
    path,
    plan: newPlan({
      run,
      permafrost: VERSION,
      store: shared.store,
      decoder: shared.decoder,
      parts,
      dataset: { root, images: dataset.samples.length, hasSplits, failures: [...failures] },
      engine: shared.engine,
      sets: sets.map(({ fingerprint, settings, network, widths, quantization }, i) => ({
        fingerprint,
        settings,
        ...(network && { network }),
        widths,
        ...(quantization && { quantization }),
        poolings: wanted[i]!.poolings,
      })),
      options: shared.options,
      units: shared.units,
      lists: shared.lists,
      probe: { image, sha256: sha256Hex(bytes), file, leastCosine: leastCosine(shared.engine.precision) },
      ...(await writtenKnown()),
    }),
  };
  // Last, so that what it names is whole.
  await writePlan(planned);
  return planned;
}

/** The plan that is in a folder already; undefined where there is none, or a damaged one, which is told. */
async function samePlan(path: string, { listener }: Work): Promise<Plan | undefined> {
  try {
    const { plan: found } = await readPlan(path);
    const calibrations = found.sets.flatMap(({ quantization }) => quantization?.calibration ?? []);
    for (const entry of [found.probe.file, ...calibrations]) await readVerified(path, entry);
    return found;
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    if (error.code !== 'PLAN_NOT_FOUND') listener?.note?.(`The plan is made anew: ${error.message}`);
    return undefined;
  }
}

async function resultOf(
  folder: PlanFolder,
  store: string,
  dataset: Dataset,
  shared: string | undefined,
): Promise<PlanResult> {
  const { path, plan: made } = folder;
  const { run, parts, units, engine, sets } = made;
  const opened = await openOwnPlan(folder);
  const published = await opened.published().finally(() => opened.close());
  return {
    store,
    run,
    plan: path,
    ...(shared !== undefined && { shared }),
    dataset: made.dataset.root,
    images: made.dataset.images,
    failed: dataset.failures,
    units: units.count,
    unitSize: units.size,
    parts,
    finished: published.size,
    known: made.known?.contents ?? 0,
    engine,
    cut: cutsText(sets.map(({ settings: { cut }, poolings }) => ({ cut, poolings }))),
    contract: sets[0]!.settings.contract.name,
    warnings: dataset.warnings,
  };
}

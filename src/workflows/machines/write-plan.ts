import { mkdir } from 'node:fs/promises';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { without } from '../../core/options.ts';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import { DECODER } from '../../extract/image/formats/decoder.ts';
import type { ImageSource } from '../../extract/source/image-source.ts';
import { absoluteRoot } from '../../extract/source/place.ts';
import { fingerprintOf } from '../../store/format/fingerprint.ts';
import { newManifest, settingsSchema, type FeatureSetDraft, type Manifest } from '../../store/format/manifest.ts';
import { writeCalibration } from '../../store/read/calibration-file.ts';
import { readVerified } from '../../store/read/file.ts';
import { unitRows } from '../../store/write/shard-rows.ts';
import type { ExtractOptions } from '../extract/options.ts';
import { requireAgreement } from '../network/calibration.ts';
import { labelOf } from '../network/frozen-network.ts';
import type { Extractor } from '../network/extractor.ts';
import { VERSION } from '../version.ts';
import type { Work } from '../work.ts';
import { knownContents, writeKnown } from './known-contents.ts';
import { newPlan, PLANNED_STORE, planFolder, readPlan, writePlan, type Plan, type PlanFolder } from './plan-file.ts';
import { chooseProbe, leastCosine, writeProbe } from './probe.ts';
import { describeLists, writeLists } from './unit-lists.ts';

/** What is planned: a data set that was listed, and the store that its features are for. */
export interface Planning {
  readonly dataset: Dataset;
  readonly source: ImageSource;
  readonly store: string;
  /** The store's manifest; undefined where it is not there yet. */
  readonly before: Manifest | undefined;
  readonly options: ExtractOptions;
  readonly parts: number;
  readonly unit: number;
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

/**
 * Writes the plan of an extraction into its store, or keeps the same one that is there. Throws STORE_WRITE, and what
 * measuring int8 throws.
 */
export async function writeNewPlan(planning: Planning, extractor: Extractor, work: Work): Promise<PlanFolder> {
  const { dataset, source, store, before, options, parts } = planning;
  const sets = setsOf(extractor, before);
  const wanted = sets.map((set, i) => ({ ...set, poolings: [...extractor.sets[i]!.poolings] }));
  const unitSize = planning.unit === 0 ? unitRows(wanted, options.shardMegabytes * 2 ** 20) : planning.unit;
  const listing = { samples: dataset.samples, unitSize };
  const shared = {
    store: PLANNED_STORE,
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

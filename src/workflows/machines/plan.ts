import { contractLabel } from '../../extract/contract.ts';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import { plural } from '../../core/words.ts';
import { withSourceOf, type Dataset } from '../../extract/dataset/dataset.ts';
import type { ImageSource } from '../../extract/source/image-source.ts';
import type { PlanResult } from '../../results/machines-result.ts';
import { MANIFEST_NAME, newManifest } from '../../store/format/manifest.ts';
import { readManifest } from '../../store/format/manifest-file.ts';
import { storedEngineClasses } from '../../store/read/stored-engine-classes.ts';
import { lockStore, type StoreLock } from '../../store/write/lock.ts';
import { requireStoreOrEmpty } from '../../store/write/store.ts';
import { heldOutBefore, requireDrawn } from '../extract/draw-split.ts';
import { defaultStore } from '../extract/extract-dataset.ts';
import { EXTRACT_DEFAULTS } from '../extract/options.ts';
import { isExtracted } from '../extract/is-extracted.ts';
import { requireSameDataset } from '../extract/same-dataset.ts';
import { viewsRequest } from '../extract/views.ts';
import { calibrationOf } from '../network/calibration.ts';
import { cutsText, parseCuts } from '../network/cuts.ts';
import { frozenNetwork, type FrozenNetwork } from '../network/frozen-network.ts';
import { openDataset } from '../network/dataset.ts';
import { makeExtractor } from '../network/extractor.ts';
import { VERSION } from '../version.ts';
import { lockRequest } from '../take-over.ts';
import type { Work } from '../work.ts';
import { PLAN_OPTIONS, type PlanOptions } from './options.ts';
import type { PlanFolder } from './plan-file.ts';
import { openOwnPlan, sharePlan } from './s3/shared-plan.ts';
import { writeNewPlan } from './write-plan.ts';

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
    contract: contractLabel(sets[0]!.settings.contract, sets[0]!.network?.name ?? sets[0]!.settings.backbone),
    ...(sets[0]!.network && { network: { ...sets[0]!.network } }),
    warnings: dataset.warnings,
  };
}

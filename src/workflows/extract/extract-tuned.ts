import { resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { flagOf } from '../../core/options.ts';
import type { ExtractResult } from '../../results/extract-result.ts';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import { contractId } from '../../extract/contract.ts';
import { stageClock } from '../../extract/stage-clock.ts';
import type { Manifest } from '../../store/format/manifest.ts';
import { findManifest, readManifest } from '../../store/format/manifest-file.ts';
import { storeAt } from '../../store/open.ts';
import { currentSets } from '../../store/read/stored-parts.ts';
import { lockStore } from '../../store/write/lock.ts';
import { cutsText, parseCuts } from '../network/cuts.ts';
import { networkOf } from '../network/frozen-network.ts';
import { openDataset } from '../network/dataset.ts';
import { firstChanged } from '../network/tuned-layers.ts';
import { openTunedFile } from '../train/files/tuned-files.ts';
import { lockRequest } from '../take-over.ts';
import type { Work } from '../work.ts';
import { defaultStore, extractDataset } from './extract-dataset.ts';
import { extractNetworks, type WantedNetwork } from './extract-networks.ts';
import { summaryOf } from './extract-into.ts';
import type { ExtractOptions } from './options.ts';
import { tunedExtractor, type TunedFeatures } from './tuned/tuned-features.ts';
import { tunedIntoStore } from './tuned/tuned-into-store.ts';
import { viewsOf } from './views.ts';

/** The tuned network of a file, as its features are made. Throws as openTunedFile. */
export async function tunedFeaturesOf(file: string): Promise<TunedFeatures> {
  const { document, tuned } = await openTunedFile(file);
  const { settings, calibration } = document;
  return { settings, calibration, tuned };
}

/** Throws OPTION_INVALID for what the file of a tuned network has decided already, or cannot do. */
function requireOpen(
  { backboneFile }: ExtractOptions,
  given: Partial<ExtractOptions>,
  { settings }: TunedFeatures,
): void {
  const decided = { contract: settings.contract.name, dtype: settings.dtype, views: 0 };
  for (const key of ['contract', 'dtype', 'views'] as const) {
    const value = given[key];
    if (value === undefined || value === decided[key]) continue;
    const why = key === 'views' ? 'its features are of the images themselves' : `it is ${decided[key]}`;
    throw new PermafrostError(
      'OPTION_INVALID',
      `extract: ${flagOf(key)} ${value} does not go with the tuned network of ${backboneFile}: ${why}. Leave ${flagOf(key)} out.`,
    );
  }
}

/** Of the images that a store lists. Locks it. Throws STORE_LOCKED, and what tunedIntoStore throws. */
export async function extractTunedOfStore(
  storePath: string,
  network: TunedFeatures,
  options: ExtractOptions,
  work: Work,
): Promise<ExtractResult> {
  const path = resolve(storePath);
  await readManifest(path); // no lock is left in a folder that is no store
  const lock = await lockStore(path, 'permafrost extract', lockRequest(work));
  try {
    const { backbone } = await networkOf(network.settings, { weights: options.weights, cuts: [] });
    const extractor = await tunedExtractor(network, parseCuts(options.cut, backbone), options, work);
    const clock = stageClock();
    const done = await tunedIntoStore(path, network, { extractor, options, clock }, work);
    const { set, poolings } = done.set;
    const store = storeAt({ path, manifest: await readManifest(path) });
    const extracted = done.fromMaps + done.decoded;
    const trace = clock.seconds();
    return {
      dataset: store.manifest.dataset.root,
      store: path,
      images: done.images,
      extracted,
      reused: done.images - extracted,
      unread: done.unread,
      failed: [],
      extractedBecause: null,
      views: null,
      engine: extractor.engine,
      cosineToFp32: set.quantization?.cosine ?? null,
      contract: extractor.contract.name,
      contractId: contractId(extractor.contract),
      cut: cutsText([{ cut: set.settings.cut, poolings }]),
      dtype: set.settings.dtype,
      weights: set.settings.weights,
      ...summaryOf(await store.samples()),
      warnings: [],
      tuned: { fingerprint: set.fingerprint, from: firstChanged(set.settings), fromMaps: done.fromMaps },
      seconds: { load: trace.load, extract: trace.wait + trace.infer + trace.write },
      trace,
    };
  } finally {
    await lock.release();
  }
}

/** Whether the features of a tuned network are, or will be, the primary ones of a store's data set. */
function isPrimary({ dataset, sets }: Manifest, { settings }: TunedFeatures): boolean {
  const [primary] = dataset.sets;
  const set = sets.find(({ fingerprint }) => fingerprint === primary?.fingerprint);
  return dataset.samples === undefined || set === undefined || set.settings.weights === settings.weights;
}

/**
 * Of a data set that was listed. A store without a data set gets the features of the tuned network as its primary ones;
 * one with a data set keeps those that it has, which new images get too, and has the tuned ones beside them.
 */
async function extractTunedDataset(
  datasetPath: string,
  dataset: Dataset,
  network: TunedFeatures,
  options: ExtractOptions,
  work: Work,
): Promise<ExtractResult> {
  const path = options.store === '' ? defaultStore(datasetPath) : resolve(options.store);
  const { dtype } = network.settings;
  const before = await findManifest(path);
  if (before === undefined || isPrimary(before, network)) {
    const by = { network: await networkOf(network.settings, { weights: options.weights, cuts: [] }), tuned: network };
    return extractDataset(datasetPath, dataset, { ...options, dtype }, work, by);
  }
  const folder = { path, manifest: before };
  const sets = currentSets(folder);
  const cut = cutsText(sets.map(({ set, poolings }) => ({ cut: set.settings.cut, poolings })));
  const own = sets[0].set.settings;
  const listed = await extractDataset(
    datasetPath,
    dataset,
    {
      ...options,
      ...viewsOf(folder),
      cut,
      dtype: own.dtype,
    },
    work,
    { network: await networkOf(own, { weights: options.weights, cuts: [] }) },
  );
  const tuned = await extractTunedOfStore(path, network, options, work);
  return { ...tuned, failed: listed.failed, images: listed.images, warnings: listed.warnings };
}

/**
 * As extractNetworks, of frozen networks, or of a tuned one where the options name its file; `given` are those that
 * were given.
 */
export async function extractAny(
  datasetPath: string,
  dataset: Dataset,
  options: ExtractOptions,
  given: Partial<ExtractOptions>,
  frozen: readonly WantedNetwork[],
  work: Work,
): Promise<ExtractResult> {
  if (options.backboneFile === '') return extractNetworks(datasetPath, dataset, options, work, frozen);
  const network = await tunedFeaturesOf(options.backboneFile);
  requireOpen(options, given, network);
  return extractTunedDataset(datasetPath, dataset, network, options, work);
}

/** The features of a tuned network, of a data set or of the images that a store lists. */
export async function extractTuned(
  where: string,
  options: ExtractOptions,
  given: Partial<ExtractOptions>,
  work: Work,
): Promise<ExtractResult> {
  const network = await tunedFeaturesOf(options.backboneFile);
  requireOpen(options, given, network);
  if ((await findManifest(where)) === undefined) {
    return extractTunedDataset(where, await openDataset(where, options), network, options, work);
  }
  for (const key of ['store', 'labels'] as const) {
    if (options[key] === '') continue;
    throw new PermafrostError(
      'OPTION_INVALID',
      `extract: ${where} is a store, whose own images get the features of the tuned network, so ${flagOf(key)} has no meaning. Leave it out, or give the data set in place of the store.`,
    );
  }
  return extractTunedOfStore(where, network, options, work);
}

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ExtractResult } from '../../results/extract-result.ts';
import { MANIFEST_NAME, type FeatureSet } from '../../store/format/manifest.ts';
import { readManifest } from '../../store/format/manifest-file.ts';
import { lockStore, type StoreLock } from '../../store/write/lock.ts';
import { storedEngineClasses } from '../../store/read/stored-engine-classes.ts';
import { openForWriting } from '../../store/write/store.ts';
import { calibrationOf } from '../network/calibration.ts';
import { parseCuts } from '../network/cuts.ts';
import type { FrozenNetwork } from '../network/frozen-network.ts';
import { makeExtractor, type Extractor } from '../network/extractor.ts';
import { withSourceOf, type Dataset } from '../../extract/dataset/dataset.ts';
import type { ImageSource } from '../../extract/source/image-source.ts';
import type { ExtractOptions } from './options.ts';
import { heldOutBefore, requireDrawn } from './draw-split.ts';
import { extractInto } from './extract-into.ts';
import { tunedExtractor, type TunedFeatures } from './tuned/tuned-features.ts';
import { requireSameDataset } from './same-dataset.ts';
import { VERSION } from '../version.ts';
import { lockRequest } from '../take-over.ts';
import type { Work } from '../work.ts';

/**
 * The store of a data set where the user names none: its name with `.permafrost`, in the current folder. A pattern
 * shards-{00000..00012}.tar is called shards.
 */
export function defaultStore(dataset: string): string {
  const name = basename(resolve(dataset)).replace(/\.(csv|tsv|jsonl|ndjson|tar|parquet)$/i, '');
  return resolve(`${name.replace(/[-_.]?\{.*\}/, '') || name}.permafrost`);
}

/** The network whose features are wanted: a frozen one, or one that was tuned from it. */
export interface By {
  readonly network: FrozenNetwork;
  readonly tuned?: TunedFeatures;
  /** Whether the network of a set is extracted into the same store at once. */
  readonly isNext?: (set: FeatureSet) => boolean;
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
  by: By,
): Promise<ExtractResult> {
  return withSourceOf(dataset, (source) => extractFrom(source, datasetPath, dataset, options, work, by));
}

async function extractFrom(
  source: ImageSource,
  datasetPath: string,
  dataset: Dataset,
  options: ExtractOptions,
  work: Work,
  { network, tuned, isNext }: By,
): Promise<ExtractResult> {
  const { listener } = work;
  const cuts = parseCuts(options.cut, network.backbone);
  requireDrawn(dataset, options);
  for (const warning of dataset.warnings) listener?.note?.(warning);
  const store = options.store === '' ? defaultStore(datasetPath) : resolve(options.store);
  const before = existsSync(join(store, MANIFEST_NAME)) ? await readManifest(store) : undefined;
  if (before !== undefined)
    await requireSameDataset({ path: store, manifest: before }, dataset, { named: options.store !== '', source }, work);
  // Taken once it is known that the extraction can run: an engine that is missing or wrong leaves no folder behind.
  let lock: StoreLock | undefined;
  let extractor: Extractor | undefined;
  const locked = async (): Promise<StoreLock> =>
    (lock ??= await lockStore(store, 'permafrost extract', lockRequest(work)));
  try {
    extractor = await (tuned === undefined
      ? makeExtractor(
          {
            ...options,
            network,
            cuts,
            storedClasses: (settings) => (before === undefined ? [] : storedEngineClasses(before, settings)),
            calibrate: async (target) => {
              await locked();
              const draft = await openForWriting(store, VERSION);
              const except = await heldOutBefore(dataset, draft, options, work);
              const { seed, threads } = options;
              return calibrationOf({ dataset, source, store: draft, seed, except, threads, work }, target);
            },
          },
          listener,
        )
      : tunedExtractor(tuned, cuts, options, work));
    await extractor.executable.check();
    await locked();
    return (await extractInto(store, { dataset, source, extractor, options, ...(isNext && { isNext }) }, work)).result;
  } finally {
    await extractor?.executable.dispose();
    await lock?.release();
  }
}

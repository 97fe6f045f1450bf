import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import { matrix, row } from '../../core/matrix.ts';
import { present } from '../../results/report-data.ts';
import type { PredictResult } from '../../results/answer-results.ts';
import { topClass } from '../../classify/evaluate/metrics.ts';
import { headNetworks } from '../../store/read/heads/head-file.ts';
import { openStore } from '../../store/open.ts';
import type { ExtractedImages } from '../network/extract-images.ts';
import { imagesExtractor } from './side-by-side.ts';
import { exactNeighbors, type Search } from './exact-neighbors.ts';
import { givenImages } from './given-images.ts';
import { noveltyOf, probabilities } from '../train/trained-head.ts';
import type { Work } from '../work.ts';
import { openHead, type OpenedHead } from '../train/files/head-files.ts';
import { judgeOfHead } from '../train/files/judge-of-head.ts';
import { storedPartsOfHead } from '../train/head-parts.ts';
import { storeOfHead } from '../train/labelled-store.ts';
import { withRuleAt } from '../train/rule-at-rate.ts';
import { layersOfHead } from '../train/files/tuned-files.ts';
import { memoryBound } from '../memory.ts';
import { PREDICT_OPTIONS, type PredictOptions } from './predict-options.ts';

/** Search of the training images under the labels that they were trained on; undefined where their store has gone. */
async function trainingSearch(
  { document, store: path, rowsMemory }: OpenedHead,
  { neighbors, memory }: PredictOptions,
  work: Work,
): Promise<Search | undefined> {
  const { listener } = work;
  if (neighbors === 0) return undefined;
  const store = await openStore(path).catch((error: unknown) => {
    if (error instanceof PermafrostError && error.code === 'STORE_NOT_FOUND') return undefined;
    throw error;
  });
  if (store?.manifest.dataset.samples === undefined) {
    listener?.note?.(`The store that the head was trained on is not at ${path}: no nearest images are shown.`);
    return undefined;
  }
  const own = await storeOfHead(store, document);
  const stored = storedPartsOfHead(own, document);
  if (!present(stored)) {
    listener?.note?.(
      `The store ${path} now holds features of other settings than the head's (${stored.missing}): no nearest images are shown.`,
    );
    return undefined;
  }
  const bound = memoryBound(memory);
  const trained = { store: own, parts: stored.parts, splits: ['train'] } as const;
  return exactNeighbors({ ...trained, owner: 'predict', metric: 'cosine', bound, otherBytes: rowsMemory }, work);
}

/**
 * Classifies images, and all images in folders, with a head file, under the contract, cut, weights and engine class of
 * its training, or by an engine of another class that was compared with it. Throws OPTION_INVALID; DATASET_EMPTY for a
 * folder without images; HEAD_CORRUPT; ENGINE_UNAVAILABLE where that class is not to be had and no other may stand in;
 * ENGINE_DISAGREES where another gives other answers; FINGERPRINT_MISMATCH, naming the field, for other weights.
 */
export async function predict(
  headFile: string,
  images: readonly string[],
  given: Partial<PredictOptions> = {},
  work: Work = {},
): Promise<PredictResult> {
  const { listener } = work;
  const options = resolveOptions('predict', PREDICT_OPTIONS, given);
  const files = await givenImages(images, listener);
  const opened = withRuleAt(await openHead(headFile), options.reject);
  const tuned = await layersOfHead(opened, options.backboneFile);
  const [first, ...others] = headNetworks(opened.document).map((one) => ({
    ...one,
    known: one.network,
    calibrate: () => Promise.resolve(one.calibration!),
  }));
  const networks = [{ ...first!, tuned }, ...others] as const;
  const extractor = await imagesExtractor(networks, options, judgeOfHead(opened), listener);
  let search: Search | undefined;
  let extracted: ExtractedImages;
  try {
    search = await trainingSearch(opened, options, work);
    extracted = await extractor.extract(files, work);
  } finally {
    // Before the search: network and features need not be in memory at the same time.
    await extractor.dispose();
  }
  const { paths, X, failed } = extracted;
  const P = X.rows === 0 ? matrix(0, opened.head.classes.length) : await probabilities(opened, X);
  const near = X.rows === 0 ? [] : ((await search?.(X, options.neighbors)) ?? []);
  const { classes, name } = opened.head;
  const best = topClass(P);
  const judged = await noveltyOf(opened, X);
  return {
    head: name,
    contract: extractor.contract,
    engine: extractor.engine,
    ...(extractor.others.length > 0 && { others: extractor.others }),
    ...(extractor.agreement && { agreement: extractor.agreement }),
    predictions: paths.map((path, i) => ({
      path,
      label: classes[best[i]!]!,
      unknown: judged?.unknown[i] ?? false,
      guess: classes[best[i]!]!,
      probability: P.data[i * P.cols + best[i]!]!,
      strangeness: judged && judged.strangeness[i]!,
      probabilities: Object.fromEntries(classes.map((label, c) => [label, row(P, i)[c]!])),
      neighbors: near[i] ?? [],
    })),
    failed,
  };
}

import { existsSync } from 'node:fs';
import { resolveOptions } from '../core/options.ts';
import { matrix, row, type Matrix } from '../core/matrix.ts';
import type { Listener, NeighborResult, PredictResult } from '../core/results.ts';
import { topClass } from '../classify/metrics.ts';
import { contractId } from '../extract/contract.ts';
import { requireSameSettings } from '../store/fingerprint.ts';
import { readManifest } from '../store/manifest.ts';
import { currentSet, loadFeatures } from '../store/reader.ts';
import { describeImages } from './describe-images.ts';
import { probabilities } from './evaluate.ts';
import type { Work } from './extract.ts';
import { featureSource } from './feature-source.ts';
import { openHead, type OpenedHead } from './head-files.ts';
import { nearest } from './neighbors.ts';
import { PREDICT_OPTIONS, type PredictOptions } from './predict-options.ts';

/** The nearest training images of each row, from the store that the head was trained on; where that has gone, none, and it is said. */
async function trainingNeighbors(
  { document, store }: OpenedHead,
  X: Matrix,
  k: number,
  listener: Listener | undefined,
): Promise<NeighborResult[][]> {
  if (k === 0 || X.rows === 0) return [];
  if (!existsSync(store)) {
    listener?.note?.(
      `The store that the head was trained on is not at ${store}: no nearest images are shown.`,
    );
    return [];
  }
  const manifest = await readManifest(store);
  const { settings } = currentSet(store, manifest);
  if (
    settings.cut !== document.settings.cut ||
    contractId(settings.contract) !== contractId(document.settings.contract)
  ) {
    listener?.note?.(
      `The store ${store} now holds features of other settings than the head's: no nearest images are shown.`,
    );
    return [];
  }
  const loaded = await loadFeatures(store, manifest, document.pooling, ['train']);
  return nearest(loaded.get('train')!, X, k, 'cosine');
}

/** Classifies images with a head file, under the contract, cut and weights that the head was trained on. */
export async function predict(
  headFile: string,
  images: readonly string[],
  given: Partial<PredictOptions> = {},
  { signal, listener }: Work = {},
): Promise<PredictResult> {
  const options = resolveOptions('predict', PREDICT_OPTIONS, given);
  const opened = await openHead(headFile);
  const { settings, pooling } = opened.document;
  const source = await featureSource(
    { ...settings, ...options, weights: options.weights || undefined },
    listener,
  );
  try {
    requireSameSettings('What this engine and these weights give', settings, source.settings);
    const { paths, X, failed } = await describeImages(images, source, pooling, signal);
    const P = X.rows === 0 ? matrix(0, opened.head.classes.length) : await probabilities(opened, X);
    const near = await trainingNeighbors(opened, X, options.neighbors, listener);
    const { classes, name } = opened.head;
    const best = topClass(P);
    return {
      head: name,
      contract: source.contract.name,
      engine: source.engine,
      predictions: paths.map((path, i) => ({
        path,
        label: classes[best[i]!]!,
        probability: P.data[i * P.cols + best[i]!]!,
        probabilities: Object.fromEntries(classes.map((label, c) => [label, row(P, i)[c]!])),
        neighbors: near[i] ?? [],
      })),
      failed,
    };
  } finally {
    await source.executable.dispose();
  }
}

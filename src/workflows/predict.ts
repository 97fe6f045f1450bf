import { PermafrostError } from '../core/errors.ts';
import { resolveOptions } from '../core/options.ts';
import { matrix, row, type Matrix } from '../core/matrix.ts';
import { present } from '../core/report-data.ts';
import type { NeighborResult, PredictResult } from '../core/answer-results.ts';
import type { Listener } from '../core/listener.ts';
import { topClass } from '../classify/metrics.ts';
import { exactIndex } from '../classify/neighbors/exact.ts';
import { applyNormalizer, balanced } from '../classify/normalize.ts';
import { judge } from '../classify/unknown/reject.ts';
import { streamedIndex } from '../classify/streams/streamed-index.ts';
import { streamFeatures, type FeatureStream } from '../store/feature-stream.ts';
import { requireSameSettings } from '../store/fingerprint.ts';
import { headParts, type HeadPart } from '../store/head-file.ts';
import { readManifest, type Manifest } from '../store/manifest.ts';
import { loadFeatures, readSamples } from '../store/reader.ts';
import type { StoredSample } from '../store/shard.ts';
import { cutsOfParts } from './cut-plan.ts';
import { describeImages } from './describe-images.ts';
import { probabilities } from './evaluate.ts';
import type { Work } from './work.ts';
import { featureSource } from './feature-source.ts';
import { openHead, type OpenedHead } from './head-files.ts';
import { storedPartsOfHead } from './head-parts.ts';
import { underLabels } from './labelled-samples.ts';
import { nearest } from './neighbors.ts';
import { PREDICT_OPTIONS, type PredictOptions } from './predict-options.ts';

/** The manifest of a store that holds a data set; undefined where the store has gone or has none. */
async function manifestOf(store: string): Promise<Manifest | undefined> {
  try {
    const manifest = await readManifest(store);
    return manifest.dataset.samples === undefined ? undefined : manifest;
  } catch (error) {
    if (error instanceof PermafrostError && error.code === 'STORE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The nearest training images of each row, under the labels that they were trained on, from the store of that training; where that has gone, none, and it is said. */
async function trainingNeighbors(
  { document, store }: OpenedHead,
  X: Matrix,
  k: number,
  listener: Listener | undefined,
): Promise<NeighborResult[][]> {
  if (k === 0 || X.rows === 0) return [];
  const manifest = await manifestOf(store);
  if (manifest === undefined) {
    listener?.note?.(
      `The store that the head was trained on is not at ${store}: no nearest images are shown.`,
    );
    return [];
  }
  const stored = storedPartsOfHead(store, manifest, document);
  if (!present(stored)) {
    listener?.note?.(
      `The store ${store} now holds features of other settings than the head's (${stored.missing}): no nearest images are shown.`,
    );
    return [];
  }
  const samples = underLabels(await readSamples(store, manifest), document.trained.relabelled);
  const streamed = await largeStream(store, manifest, stored.parts, samples);
  if (streamed !== undefined) return nearest(streamed, streamedIndex(streamed, 'cosine'), X, k);
  const loaded = (await loadFeatures(store, manifest, stored.parts, ['train'], { samples })).get('train')!;
  const widths = stored.parts.map(({ width }) => width);
  const train = { X: balanced(loaded.X, widths), samples: loaded.samples };
  return nearest(train, exactIndex(train.X, 'cosine'), balanced(X, widths), k);
}

/** Bytes of training rows in float32 up to which they are loaded at once; more are read a shard at a time, to the same answers. */
const LOADED_BYTES = 2 ** 28;

/** The training rows as a stream, where they are above LOADED_BYTES: of a single part, for others cannot be streamed. */
async function largeStream(
  store: string,
  manifest: Manifest,
  [part, ...others]: readonly HeadPart[],
  samples: readonly StoredSample[],
): Promise<FeatureStream | undefined> {
  if (part === undefined || others.length > 0) return undefined;
  const rows = samples.filter(({ split }) => split === 'train').length;
  return rows * part.width * 4 > LOADED_BYTES
    ? streamFeatures(store, manifest, part, 'train', samples)
    : undefined;
}

/** What the head answers for an image of no class that it knows. */
const UNKNOWN = 'unknown';

/** How strange each row of raw features is to the head, and which are unknown; null for a head without a rule for that. */
export async function judgeRaw({ head, normalizer, reject }: OpenedHead, X: Matrix) {
  if (reject === undefined || X.rows === 0) return null;
  const { measure, threshold } = reject;
  return { ...(await judge(reject, head, applyNormalizer(normalizer, X))), rule: { measure, threshold } };
}

/**
 * Classifies images with a head file, under the contract, cut, weights and engine class that the head was trained on. Throws HEAD_CORRUPT;
 * ENGINE_UNAVAILABLE where that class is not to be had; FINGERPRINT_MISMATCH, naming the field, where other weights or another engine are
 * asked for.
 */
export async function predict(
  headFile: string,
  images: readonly string[],
  given: Partial<PredictOptions> = {},
  { signal, listener }: Work = {},
): Promise<PredictResult> {
  const options = resolveOptions('predict', PREDICT_OPTIONS, given);
  const opened = await openHead(headFile);
  const { settings } = opened.document;
  const source = await featureSource(
    {
      ...settings,
      ...options,
      cuts: cutsOfParts(headParts(opened.document)),
      weights: options.weights || undefined,
      calibrate: () => Promise.resolve(opened.document.calibration!),
    },
    listener,
  );
  try {
    requireSameSettings('What this engine and these weights give', settings, source.sets[0].settings);
    const { paths, X, failed } = await describeImages(images, source, signal);
    const P = X.rows === 0 ? matrix(0, opened.head.classes.length) : await probabilities(opened, X);
    const near = await trainingNeighbors(opened, X, options.neighbors, listener);
    const { classes, name } = opened.head;
    const best = topClass(P);
    const judged = await judgeRaw(opened, X);
    return {
      head: name,
      contract: source.contract.name,
      engine: source.engine,
      predictions: paths.map((path, i) => ({
        path,
        label: judged?.unknown[i] === true ? UNKNOWN : classes[best[i]!]!,
        unknown: judged?.unknown[i] ?? false,
        guess: classes[best[i]!]!,
        probability: P.data[i * P.cols + best[i]!]!,
        strangeness: judged && { ...judged.rule, value: judged.strangeness[i]! },
        probabilities: Object.fromEntries(classes.map((label, c) => [label, row(P, i)[c]!])),
        neighbors: near[i] ?? [],
      })),
      failed,
    };
  } finally {
    await source.executable.dispose();
  }
}

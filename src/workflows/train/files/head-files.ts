import { dirname, join, relative, resolve, sep } from 'node:path';
import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import { PermafrostError } from '../../../core/errors.ts';
import { stackedRows } from '../../../core/rows.ts';
import { loadHead } from '../../../classify/heads/index.ts';
import { scaledHead } from '../../../classify/heads/scaled-head.ts';
import type { HeadState } from '../../../classify/head.ts';
import { normalizedRows, type Normalizer } from '../../../classify/normalize.ts';
import { loadNormalizer, normalizerState } from '../../../classify/normalizer-state.ts';
import { loadReject, rejectState, type Reject } from '../../../classify/novelty/reject.ts';
import { answersFiles } from '../../../store/format/answers/answers-seal.ts';
import { removeAnswers } from '../../../store/format/answers/kept-answers.ts';
import { readCalibration } from '../../../store/read/calibration-file.ts';
import type { FeatureSettings } from '../../../store/format/fingerprint.ts';
import { settingsSchema, type FeatureSet } from '../../../store/format/manifest.ts';
import {
  headNetworks,
  LAYERS_PREFIX,
  readHead,
  writeHead,
  type HeadDocument,
  type HeadPart,
  type HeadTensors,
} from '../../../store/read/heads/head-file.ts';
import type { LayerTensors } from '../../../store/read/layers-file.ts';
import {
  CONTENTS_TENSOR,
  readTrainedContents,
  type TrainedContents,
} from '../../../store/read/heads/trained-contents.ts';
import { probeTensors, readProbeImages, type ProbeImages } from '../../../store/read/heads/probe-images.ts';
import type { Store } from '../../../store/open.ts';
import { isSameNetwork } from '../../../store/read/stored-networks.ts';
import type { StoredPart } from '../../../store/read/stored-parts.ts';
import { requireLayers, type TunedLayers } from '../../network/tuned-layers.ts';
import { contentsOfTrain } from '../trained-on.ts';
import type { TrainedHead } from '../trained-head.ts';
import { trainingRows } from '../training-rows.ts';
import { VERSION } from '../../version.ts';
import type { Work } from '../../work.ts';
import { makeProbes } from './make-probes.ts';

type Tensors = HeadState['tensors'];

const prefixed = (prefix: string, tensors: Tensors): [string, ReturnType<Tensors['get']> & object][] =>
  [...tensors].map(([name, tensor]) => [`${prefix}/${name}`, tensor]);

const stripped = (prefix: string, tensors: Tensors): Tensors =>
  new Map(
    [...tensors].flatMap(([name, tensor]) =>
      name.startsWith(`${prefix}/`) ? [[name.slice(prefix.length + 1), tensor] as const] : [],
    ),
  );

/** Of the name of a head's features, which are tensors' names perhaps, in that of its file. */
const MOST_OF_NAME = 100;

/**
 * Where a head is kept by default, named by what it is and a digest of its settings, of labels not the store's, and of
 * the tuned network, graph or networks whose features it reads.
 */
function defaultHeadFile(
  store: string,
  { result: { name, pooling, normalize, params }, relabelled = [] }: Pick<TrainedHead, 'result' | 'relabelled'>,
  parts: readonly [StoredPart, ...StoredPart[]],
): string {
  const [{ set }] = parts;
  const { tuned, fingerprint } = set;
  const hasGraph = parts.some((part) => part.set.settings.graph !== undefined || !isSameNetwork(part.set, set));
  const labels = relabelled.length > 0 && { relabelled };
  const network =
    tuned !== undefined
      ? { network: fingerprint }
      : hasGraph && { networks: [...new Set(parts.map(({ set }) => set.settings.weights))], pooling };
  const digest = sha256Hex(canonicalJson({ params, normalize, ...labels, ...network })).slice(0, 8);
  // A colon is no part of a file's name everywhere, and a slash nowhere.
  const named = pooling.replaceAll(',', '+').replaceAll(/[^\w.+-]+/g, '.');
  const features = `${tuned === undefined ? '' : 'tuned.'}${hasGraph ? named.slice(0, MOST_OF_NAME) : named}`;
  return join(store, 'heads', `${name}-${features}-${normalize}-${digest}.safetensors`);
}

/** What of a trained head goes into its file. */
export type SavedHead = Pick<TrainedHead, 'head' | 'normalizer' | 'parts' | 'reject' | 'rows' | 'relabelled'> & {
  readonly result: Pick<TrainedHead['result'], 'trained'>;
  /** The images that it was trained on. */
  readonly contents?: TrainedContents;
  /** Images by which another engine than that of its features is checked. */
  readonly probes?: ProbeImages | undefined;
  /** Of the last layer of a tuned network: what makes the rest of it of the weights that it began with. */
  readonly tuned?: NonNullable<HeadDocument['tuned']> & { readonly layers: LayerTensors };
};

/** Writes a head with its normaliser, the settings of its first part and the way to its store. Throws STORE_WRITE. */
export async function saveHead(
  file: string,
  { head, normalizer, parts, reject, rows, relabelled = [], result, contents, probes, tuned }: SavedHead,
  {
    settings,
    quantization,
    network,
  }: { readonly settings: FeatureSettings } & Pick<FeatureSet, 'quantization'> & Partial<Pick<FeatureSet, 'network'>>,
  store: string,
): Promise<void> {
  // A table of answers that lies there is another head's.
  await removeAnswers(answersFiles(file));
  const before = normalizerState(normalizer);
  const unknown = reject && rejectState(reject, head.state);
  const { contract } = settings;
  const [{ pooling }, ...others] = parts as readonly [HeadPart, ...HeadPart[]];
  const document: HeadDocument = {
    permafrost: VERSION,
    name: head.name,
    params: head.params,
    classes: [...head.classes],
    settings: { ...settings, contract: { ...contract, mean: [...contract.mean] } },
    ...(network && { network: { ...network } }),
    ...(quantization && { calibration: await readCalibration(store, quantization.calibration, settings.calibration) }),
    pooling,
    width: head.features,
    ...(others.length > 0 && { others }),
    ...(tuned && { tuned: { base: tuned.base, recipe: { ...tuned.recipe } } }),
    head: head.state.json,
    normalizer: before.json,
    ...(head.temperature !== undefined && { temperature: head.temperature }),
    ...(unknown && { reject: unknown.json }),
    trained: {
      images: result.trained,
      store: relative(dirname(resolve(file)), resolve(store))
        .split(sep)
        .join('/'),
      ...(relabelled.length > 0 && { relabelled: relabelled.map((sample) => ({ ...sample })) }),
      ...(rows && { rows: rows.digest }),
      ...(rows && rows.views > 0 && { views: rows.views }),
    },
  };
  await writeHead(
    file,
    document,
    new Map([
      ...prefixed('head', head.state.tensors),
      ...prefixed('normalizer', before.tensors),
      ...prefixed('reject', unknown?.tensors ?? new Map()),
      ...prefixed(LAYERS_PREFIX, tuned?.layers ?? new Map()),
      ...(probes ? probeTensors(probes) : []),
      ...(contents ? ([[CONTENTS_TENSOR, { shape: [contents.size, 2], data: contents.words }]] as const) : []),
    ]),
  );
}

/** Stored parts as a head file has them: those of another network than the first with their own settings. */
async function ownParts(parts: readonly [StoredPart, ...StoredPart[]], store: string): Promise<HeadPart[]> {
  const [{ set: first }] = parts;
  return Promise.all(
    parts.map(async ({ pooling, width, set }): Promise<HeadPart> => {
      const { cut } = set.settings;
      if (isSameNetwork(set, first)) return { cut, pooling, width };
      const { network, quantization } = set;
      const settings = settingsSchema.parse(set.settings);
      const calibration =
        quantization && (await readCalibration(store, quantization.calibration, settings.calibration));
      return {
        cut,
        pooling,
        width,
        own: { settings, ...(network && { network: { ...network } }), ...(calibration && { calibration }) },
      };
    }),
  );
}

/** Where a head is kept, and what goes with it. */
export interface KeepOptions {
  /** '': into the store that it was trained on. */
  readonly out?: string | undefined;
  /** Probe images that its file carries. */
  readonly probeImages: number;
}

/** A head that was kept. */
export interface KeptHead {
  readonly file: string;
  /** Probe images that its file carries: none where their files could not be read any more. */
  readonly probeImages: number;
}

/**
 * Writes a head to a file or into the store that it was trained on, under whose labels it was, with a list of its
 * training images, and probe images. Throws STORE_WRITE, STORE_CORRUPT, INTERRUPTED.
 */
export async function keepHead(
  store: Store,
  head: TrainedHead,
  { out = '', probeImages }: KeepOptions,
  work: Work = {},
): Promise<KeptHead> {
  const parts = store.parts(head.parts) as [StoredPart, ...StoredPart[]];
  const [{ set }] = parts;
  const file = out === '' ? defaultHeadFile(store.path, head, parts) : resolve(out);
  const contents = await contentsOfTrain(store);
  const probes = await makeProbes(store, head, parts, { wanted: probeImages }, work);
  await saveHead(file, { ...head, parts: await ownParts(parts, store.path), contents, probes }, set, store.path);
  return { file, probeImages: probes?.answers.rows ?? 0 };
}

/** A head file, read: what is asked is normalised by `normalizer` before it goes to `head`. */
export interface OpenedHead extends Pick<TrainedHead, 'head' | 'normalizer' | 'reject'> {
  readonly document: HeadDocument;
  /** The images that it was trained on; undefined in files of older versions, which do not tell. */
  readonly trainedOn: TrainedContents | undefined;
  /** Images by which another engine than that of its features is checked; undefined where the file carries none. */
  readonly probes: ProbeImages | undefined;
  /** SHA-256 of all that is in the file. */
  readonly digest: string;
  /** Of a tuned network's last layer: the layers before it. */
  readonly tuned: TunedLayers | undefined;
  /** The store that it was trained on, absolute; it may have gone. */
  readonly store: string;
  /** Bytes that its training rows take while they are read from the store; 0 for a head that holds all it needs. */
  readonly rowsMemory: number;
}

/** Adds the file's name to what is wrong with its content; a head unknown here is no wrong option of the user's. */
function inFile(file: string, error: unknown): never {
  if (!(error instanceof PermafrostError) || !['OPTION_INVALID', 'HEAD_CORRUPT'].includes(error.code)) throw error;
  throw new PermafrostError('HEAD_CORRUPT', `${file}: ${error.message}`, { cause: error });
}

/** The changed layers of a tuned network that a head file carries. Throws HEAD_CORRUPT. */
function layersIn(file: string, { tuned, settings }: HeadDocument, tensors: HeadTensors): TunedLayers | undefined {
  const layers = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  for (const [name, { shape, data }] of stripped(LAYERS_PREFIX, tensors)) {
    if (!(data instanceof Float32Array))
      throw new PermafrostError('HEAD_CORRUPT', `${file}: the layer ${name} is I32, not F32.`);
    layers.set(name, { shape, data });
  }
  if (tuned === undefined) return undefined;
  const found = { source: { name: file, code: 'HEAD_CORRUPT' as const }, base: tuned.base, layers };
  requireLayers(found, settings);
  return found;
}

/** Reads a head file into a head that predicts the same. Throws HEAD_CORRUPT, PACKAGE_MISSING. */
export async function openHead(file: string): Promise<OpenedHead> {
  const { document, tensors, digest } = await readHead(file);
  const tuned = layersIn(file, document, tensors);
  const state = (part: 'head' | 'normalizer' | 'reject'): HeadState => ({
    json: document[part] ?? {},
    tensors: stripped(part, tensors),
  });
  const store = resolve(dirname(file), document.trained.store);
  let normalizer: Normalizer;
  try {
    normalizer = loadNormalizer(state('normalizer'));
  } catch (error) {
    inFile(file, error);
  }
  const rows = await trainingRows(file, store, document);
  const trainingSet = rows && stackedRows([rows, ...rows.views].map((view) => normalizedRows(normalizer, view)));
  const plain = await loadHead(document.name, state('head'), trainingSet).catch((error: unknown) =>
    inFile(file, error),
  );
  const head = scaledHead(plain, document.temperature);
  let reject: Reject | undefined;
  try {
    if (document.reject !== undefined) reject = loadReject(state('reject'), head);
  } catch (error) {
    inFile(file, error);
  }
  if (head.features !== document.width) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${file}: the head takes ${head.features} features, its document says ${document.width}.`,
    );
  }
  const trainedOn = readTrainedContents(tensors.get(CONTENTS_TENSOR), file);
  const shapes = { networks: headNetworks(document).length, classes: head.classes.length, width: document.width };
  const probes = readProbeImages(tensors, shapes, file);
  const memory = { rowsMemory: rows?.openBytes ?? 0 };
  const facts = { trainedOn, probes, digest, tuned, store };
  return { document, head, normalizer, ...(reject && { reject }), ...facts, ...memory };
}

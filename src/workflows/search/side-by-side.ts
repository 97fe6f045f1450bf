import type { Int8Calibration } from '../../core/calibration.ts';
import { PermafrostError } from '../../core/errors.ts';
import { notesOf, type Listener } from '../../core/listener.ts';
import { matrix, row } from '../../core/matrix.ts';
import type { Failure, FeaturePart } from '../../core/sample.ts';
import { contractLabel } from '../../extract/contract.ts';
import { layerBackbone } from '../../extract/backbones/layer-backbones.ts';
import { readOnnxFile } from '../../extract/onnx/read-onnx.ts';
import { layersOfWeights } from '../../extract/weights/layers-of-weights.ts';
import type { EngineAgreement, NetworkFacts } from '../../results/answer-results.ts';
import type { EngineFacts } from '../../results/extract-result.ts';
import type { FeatureSettings } from '../../store/format/fingerprint.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import type { Work } from '../work.ts';
import type { FeatureMaker, Judge } from '../network/agreement/judge.ts';
import { CHECKING, requireAgreement } from '../network/agreement/require-agreement.ts';
import { cutsOfParts } from '../network/cuts.ts';
import { extractImages, extractSquares, type ExtractedImages } from '../network/extract-images.ts';
import { extractorLike, type Extractor, type ExtractorRequest } from '../network/extractor.ts';
import type { TunedLayers } from '../network/tuned-layers.ts';

/** What features that stand side by side take of one network. */
export interface PartsOfNetwork {
  /** Settings of the first of the parts. */
  readonly settings: FeatureSettings;
  readonly known: FeatureSet['network'];
  readonly tuned?: TunedLayers | undefined;
  readonly calibrate: () => Promise<Int8Calibration>;
  /** By the names that the network has for its cuts; part `at` of all, and its numbers an image. */
  readonly parts: readonly (FeaturePart & { readonly width: number; readonly at: number })[];
}

/** A network of several, opened. */
export interface OpenedNetwork {
  readonly extractor: Extractor;
  readonly network: PartsOfNetwork;
}

/** Opened networks, the first part's first. */
export type OpenedNetworks = readonly [OpenedNetwork, ...OpenedNetwork[]];

/** What is asked of every network: engine and device, and where weights are. */
export type SideBySideRequest = Pick<
  ExtractorRequest,
  'engine' | 'device' | 'precision' | 'threads' | 'weights' | 'allowEngine'
>;

/** What runs: the first network's contract and engine, and further networks. */
export interface NetworksFacts {
  readonly contract: string;
  readonly engine: EngineFacts;
  readonly others: readonly NetworkFacts[];
  /** How an engine of another class than the features' agrees with theirs; undefined where none is of another. */
  readonly agreement: EngineAgreement | undefined;
}

/** Turns loose images into features of one network, or of several side by side. */
export interface ImagesExtractor extends NetworksFacts {
  /** Runs the images through one network after the other; images that one of them could not have are left out. */
  extract(files: readonly string[], work: Work): Promise<ExtractedImages>;
  dispose(): Promise<void>;
}

/**
 * Opens the networks, each under its own settings. `weights` is the file of the list of layers or graph that it is of.
 * An engine of another class than the features' is compared with theirs first, as `judge` says. Throws what
 * extractorLike and requireAgreement throw, having closed what was opened. `open` opens one of them.
 */
export async function openNetworks(
  networks: readonly [PartsOfNetwork, ...PartsOfNetwork[]],
  request: SideBySideRequest,
  judge: Judge,
  listener?: Listener,
  open = extractorLike,
): Promise<{ readonly opened: OpenedNetworks; readonly agreement: EngineAgreement | undefined }> {
  const { weights = '' } = request;
  const of = await ownerOf(weights, networks);
  const opened: OpenedNetwork[] = [];
  let agreement: EngineAgreement | undefined;
  try {
    for (const network of networks) {
      const { settings, known, tuned, calibrate, parts } = network;
      const own = { ...request, weights: network === of ? weights : '' };
      const extractor = await open(
        settings,
        { ...own, cuts: cutsOfParts(parts), known, tuned, calibrate },
        networks.length === 1 ? listener : notesOf(known?.name ?? settings.backbone, listener ?? {}),
      );
      opened.push({ extractor, network });
    }
    agreement = await requireAgreement(
      opened.map(({ extractor, network: { settings } }) => ({ extractor, settings })),
      judge,
      makerOf(opened, listener),
      listener,
    );
  } catch (error) {
    await disposeNetworks(opened);
    throw error;
  }
  const [first, ...others] = opened;
  return { opened: [first!, ...others], agreement };
}

export async function disposeNetworks(opened: readonly OpenedNetwork[]): Promise<void> {
  for (const { extractor } of opened) await extractor.executable.dispose();
}

export const factsOfNetworks = (
  [{ extractor: first }, ...others]: OpenedNetworks,
  agreement: EngineAgreement | undefined,
): NetworksFacts => ({
  agreement,
  contract: contractLabel(first.contract, first.network.backbone.name),
  engine: first.engine,
  others: others.map(({ extractor: { network, contract, engine } }) => ({
    backbone: network.backbone.name,
    contract: contractLabel(contract, network.backbone.name),
    engine,
  })),
});

/** Opens the networks for one list of images. Throws what openNetworks throws. */
export async function imagesExtractor(
  networks: readonly [PartsOfNetwork, ...PartsOfNetwork[]],
  request: SideBySideRequest,
  judge: Judge,
  listener?: Listener,
): Promise<ImagesExtractor> {
  const { opened, agreement } = await openNetworks(networks, request, judge, listener);
  return {
    ...factsOfNetworks(opened, agreement),
    dispose: () => disposeNetworks(opened),
    async extract(files, work) {
      if (opened.length === 1) return extractImages(files, opened[0].extractor, work);
      const found: ExtractedImages[] = [];
      for (const { extractor } of opened) {
        found.push(await extractImages(files, extractor, work));
        // Two networks need not be in memory at the same time.
        await extractor.executable.dispose();
      }
      return joined(
        files,
        found.map((one, i) => ({ ...one, ...opened[i]! })),
      );
    },
  };
}

/** Features of images by all networks, which stay loaded. */
function makerOf(opened: readonly OpenedNetwork[], listener: Listener | undefined): FeatureMaker {
  const put = (names: readonly string[], found: readonly ExtractedImages[]): ExtractedImages =>
    found.length === 1
      ? found[0]!
      : joined(
          names,
          found.map((one, i) => ({ ...one, ...opened[i]! })),
        );
  return {
    async ofFiles(files) {
      const found: ExtractedImages[] = [];
      for (const { extractor } of opened)
        found.push(await extractImages(files, extractor, { ...(listener && { listener }) }, CHECKING));
      return put(files, found);
    },
    async ofSquares(squares) {
      const names = squares[0]!.map((_, i) => String(i));
      const found: ExtractedImages[] = [];
      for (const [i, { extractor }] of opened.entries())
        found.push({ paths: names, contents: names, X: await extractSquares(extractor, squares[i]!), failed: [] });
      return put(names, found).X;
    },
  };
}

/** The network that a weights file is of: of several graphs the one with its digest. Throws FINGERPRINT_MISMATCH. */
export async function ownerOf<T extends Pick<PartsOfNetwork, 'settings' | 'known'>>(
  weights: string,
  networks: readonly [T, ...T[]],
): Promise<T | undefined> {
  if (weights === '' || networks.length === 1) return networks[0];
  const isGraph = ({ settings }: T): boolean => settings.graph !== undefined;
  const lists = networks.filter((one) => !isGraph(one));
  const isOfLayers = /\.(safetensors|h5|hdf5|json)$/i.test(weights);
  if (isOfLayers && lists.length === 1) return lists[0];
  const { digest } = isOfLayers
    ? await layersOfWeights(
        weights,
        lists.map(({ settings }) => layerBackbone(settings.backbone)!),
      )
    : await readOnnxFile(weights);
  const owner = networks.find((one) => isGraph(one) !== isOfLayers && one.settings.weights === digest);
  if (owner !== undefined) return owner;
  const wanted = networks.map(({ settings, known }) => `${known?.name ?? settings.backbone} ${settings.weights}`);
  throw new PermafrostError(
    'FINGERPRINT_MISMATCH',
    `${weights} has the digest ${digest}, and the features were made by ${wanted.join(' and ')}. Give the file of one of them with --weights FILE.`,
  );
}

/** Where the numbers of an output stand among the features of an image. */
interface Place {
  readonly start: number;
  readonly width: number;
}

/** What decides where the outputs of a network go. */
interface Placed {
  readonly extractor: Pick<Extractor, 'outputs'>;
  readonly network: Pick<PartsOfNetwork, 'parts'>;
}

/** How parts of several networks stand side by side: of each network the place of each output, in its order. */
export function placesOfParts(opened: readonly Placed[]): {
  readonly width: number;
  readonly places: readonly (readonly Place[])[];
} {
  const widths: number[] = [];
  for (const { network } of opened) for (const { at, width } of network.parts) widths[at] = width;
  const starts = widths.map((_, at) => widths.slice(0, at).reduce((sum, width) => sum + width, 0));
  return {
    width: widths.reduce((sum, width) => sum + width, 0),
    places: opened.map(({ extractor, network }) =>
      extractor.outputs.map(({ cut, pooling }) => {
        const { at, width } = network.parts.find((part) => part.cut === cut && part.pooling === pooling)!;
        return { start: starts[at]!, width };
      }),
    ),
  };
}

type OfOne = ExtractedImages & OpenedNetwork;

/** The features of images that every network has, each part at its place. */
function joined(files: readonly string[], found: readonly OfOne[]): ExtractedImages {
  const { width, places } = placesOfParts(found);
  const rows = found.map(({ paths }) => new Map(paths.map((path, i) => [path, i])));
  const paths = files.filter((path) => rows.every((one) => one.has(path)));
  const X = matrix(paths.length, width);
  for (const [n, { X: own }] of found.entries()) {
    let from = 0;
    for (const { start, width: numbers } of places[n]!) {
      for (const [i, path] of paths.entries()) {
        const values = row(own, rows[n]!.get(path)!).subarray(from, from + numbers);
        X.data.set(values, i * X.cols + start);
      }
      from += numbers;
    }
  }
  const failed = new Map<string, Failure>();
  for (const failure of found.flatMap((one) => one.failed)) failed.set(failure.path, failure);
  const contents = paths.map((path) => found[0]!.contents[rows[0]!.get(path)!]!);
  return { paths, contents, X, failed: [...failed.values()] };
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { stringOption } from '../../core/options.ts';
import { suggest } from '../../core/suggest.ts';
import { isLayerBackbone } from '../../extract/backbones/backbone.ts';
import { LAYER_BACKBONES, layerBackbone } from '../../extract/backbones/vgg.ts';
import { contractNamed } from '../../extract/contract.ts';
import type { FeatureSettings } from '../../store/format/fingerprint.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import { addedGraph, addedGraphs } from './added-graphs.ts';
import { namesOfCuts } from './cuts.ts';
import {
  BUNDLED_GRAPHS,
  bundledGraph,
  graphNetwork,
  graphOf,
  type FrozenNetwork,
  type GraphSources,
} from './graph-network.ts';

export type { FrozenNetwork } from './graph-network.ts';

const [DEFAULT] = LAYER_BACKBONES;
/** The contract of lists of layers, where none is named. */
const LAYERS_CONTRACT = 'vgg16';
const NAMES = [...LAYER_BACKBONES.map(({ name }) => name), ...BUNDLED_GRAPHS];

/** Which network, for every command that runs one of the user's choice. */
export const BACKBONE_OPTIONS = {
  backbone: stringOption(DEFAULT.name, `the frozen network: ${NAMES.join(', ')}, or an ONNX file`),
  contract: stringOption(
    '',
    `preprocessing contract: a name, or a file that describes it; empty: that of the network, of ${DEFAULT.name} ${LAYERS_CONTRACT}, of an ONNX file what is said beside it`,
  ),
  weights: stringOption(
    '',
    'another weights file of a list of layers (.safetensors or Keras .h5); empty: the bundled ImageNet weights, of VGG16 alone',
  ),
} as const;

export interface NetworkRequest {
  readonly backbone: string;
  readonly contract: string;
  readonly weights: string;
  /** Cuts that are wanted, as `--cut` names them. */
  readonly cut: string;
}

/** The ONNX file of a name or path. Throws OPTION_INVALID for an unknown name, and for weights beside it. */
export async function graphFile({ backbone, weights }: Pick<NetworkRequest, 'backbone' | 'weights'>): Promise<string> {
  const isBundled = (BUNDLED_GRAPHS as readonly string[]).includes(backbone);
  const isPath = !isBundled && (/[/\\]|\.onnx$/i.test(backbone) || existsSync(backbone));
  const path = isBundled ? bundledGraph(backbone) : isPath ? backbone : await addedGraph(backbone);
  if (path === undefined) {
    const names = [...NAMES, ...(await addedGraphs()).map(({ name }) => name)];
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is no backbone "${backbone}"${suggest(backbone, names)}. Choose one of: ${names.join(', ')}; or give an ONNX file. "permafrost backbones" lists those that can be added.`,
    );
  }
  if (weights !== '') {
    throw new PermafrostError(
      'OPTION_INVALID',
      `--weights ${weights} does not go with the backbone ${backbone}: an ONNX file holds its own weights. Leave --weights out.`,
    );
  }
  return path;
}

/**
 * The network of a name or an ONNX file, with its contract. Throws OPTION_INVALID for an unknown name or contract, and
 * what graphNetwork throws.
 */
export async function frozenNetwork(
  { backbone, contract, weights, cut }: NetworkRequest,
  listener?: Listener,
): Promise<FrozenNetwork> {
  const layers = layerBackbone(backbone);
  if (layers !== undefined) return { backbone: layers, contract: contractNamed(contract || LAYERS_CONTRACT), weights };
  const path = await graphFile({ backbone, weights });
  return graphNetwork(path, { contract, cuts: namesOfCuts(cut) }, listener);
}

/** The network that made the features of these settings. Throws what graphOf throws. */
export async function networkOf(
  settings: Pick<FeatureSettings, 'backbone' | 'weights' | 'contract' | 'graph'>,
  sources: GraphSources,
  listener?: Listener,
): Promise<FrozenNetwork> {
  const { backbone, contract } = settings;
  const layers = layerBackbone(backbone);
  if (layers === undefined) return graphOf(settings, sources, listener);
  return { backbone: layers, contract, weights: sources.weights ?? '' };
}

/** What a set says of its network beside its settings: of a graph what it is called, and where its file is. */
export const labelOf = ({ backbone }: FrozenNetwork): FeatureSet['network'] =>
  isLayerBackbone(backbone) ? undefined : { name: backbone.name, file: resolve(backbone.file.path) };

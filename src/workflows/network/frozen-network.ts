import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { suggest } from '../../core/suggest.ts';
import { addedGraph, addedGraphs } from '../../extract/backbones/added-graphs.ts';
import { BUNDLED_GRAPHS, bundledGraph } from '../../extract/backbones/bundled-graphs.ts';
import { isLayerBackbone } from '../../extract/backbones/backbone.ts';
import { layerBackbone } from '../../extract/backbones/layer-backbones.ts';
import { contractNamed } from '../../extract/contract.ts';
import type { FeatureSettings } from '../../store/format/fingerprint.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import { BACKBONE_NAMES, LAYERS_CONTRACT } from './backbone-options.ts';
import { namesOfCuts } from './cuts.ts';
import { graphNetwork, graphOf, type FrozenNetwork, type GraphSources } from './graph-network.ts';

export type { FrozenNetwork } from './graph-network.ts';

export interface NetworkRequest {
  readonly backbone: string;
  readonly contract: string;
  readonly weights: string;
  /** Cuts that are wanted, as `--cut` names them. */
  readonly cut: string;
}

/** The ONNX file of a name or path. Throws OPTION_INVALID for an unknown name, and for weights beside it. */
export async function graphFile({ backbone, weights }: Pick<NetworkRequest, 'backbone' | 'weights'>): Promise<string> {
  const isThere = existsSync(backbone);
  if (backbone.includes(',') && !isThere) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `This command takes one backbone, and --backbone names several: ${backbone}. "permafrost extract" and "permafrost run" take several.`,
    );
  }
  const isBundled = (BUNDLED_GRAPHS as readonly string[]).includes(backbone);
  const isPath = !isBundled && (/[/\\]|\.onnx$/i.test(backbone) || isThere);
  const path = isBundled ? bundledGraph(backbone) : isPath ? backbone : await addedGraph(backbone);
  if (path === undefined) {
    const names = [...BACKBONE_NAMES, ...(await addedGraphs()).map(({ name }) => name)];
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

import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import type { GraphBackbone, LayerBackbone } from '../../extract/backbones/backbone.ts';
import { layerBackbone } from '../../extract/backbones/layer-backbones.ts';
import type { BackboneDescription } from '../../extract/contracts/backbone-json.ts';
import { typeName } from '../../extract/onnx/wire/element-types.ts';
import { networkId, type NetworkProgram } from '../../extract/program.ts';
import { loadWeights } from '../../extract/weights/load-weights.ts';
import type { BackboneResult, NetworkValue } from '../../results/backbone-results.ts';
import { namesOfCuts, parseCuts, type CutRequest } from '../network/cuts.ts';
import { frozenNetwork, graphFile } from '../network/frozen-network.ts';
import { openGraph, type OpenedGraph } from '../network/graph-network.ts';
import { cutFacts } from './cut-facts.ts';
import type { BackboneOptions } from './options.ts';

/** A network with all that is said of it. */
export interface DescribedNetwork {
  readonly facts: Omit<BackboneResult, 'written' | 'check' | 'notes'>;
  /** The network with the stated contract; undefined where none is stated. */
  readonly network: NetworkProgram | undefined;
  /** The default cut, or those that were asked for. */
  readonly cuts: readonly CutRequest[];
  readonly description: BackboneDescription | undefined;
}

type Request = Pick<BackboneOptions, 'contract' | 'weights' | 'cut'>;

async function describeLayers(backbone: LayerBackbone, request: Request): Promise<DescribedNetwork> {
  const { contract, weights: file } = await frozenNetwork({ ...request, backbone: backbone.name });
  const weights = await loadWeights({ backbone, ...(file && { file }) });
  const network = { backbone, contract, weights };
  const { size } = contract;
  const cuts = cutFacts(backbone, size);
  const last = cuts.at(-1)!;
  return {
    facts: {
      name: backbone.name,
      kind: 'layers',
      file: weights.source,
      digest: networkId(network).weights,
      opsets: null,
      licence: null,
      source: null,
      input: { name: 'pixels', dtype: 'float32', shape: ['batch', size, size, 3], layout: 'NHWC', batch: null },
      outputs: [{ name: last.name, dtype: 'float32', shape: ['batch', last.height, last.width, last.channels] }],
      cuts,
      defaultCut: last.name,
      contract,
      contractFrom:
        request.contract === '' ? `what ${backbone.name} was trained with` : `--contract ${request.contract}`,
      contractMissing: null,
    },
    network,
    cuts: parseCuts(request.cut, backbone),
    description: undefined,
  };
}

/** Opens a graph; without a contract too, of which it then says what is missing. */
async function openAnyGraph(
  path: string,
  request: { readonly contract: string; readonly cuts: readonly string[] },
  listener: Listener,
): Promise<OpenedGraph & { readonly missing: string | null }> {
  try {
    return { ...(await openGraph(path, request, listener)), missing: null };
  } catch (error) {
    if (!(error instanceof PermafrostError && error.code === 'CONTRACT_MISSING')) throw error;
    // What the tensors are does not depend on what the pixels are.
    return { ...(await openGraph(path, { ...request, contract: 'raw' }, listener)), missing: error.message };
  }
}

const value = ({ name, type, shape }: GraphBackbone['file']['inputs'][number]): NetworkValue => ({
  name,
  dtype: typeName(type),
  shape,
});

async function describeGraph(path: string, request: Request, listener: Listener): Promise<DescribedNetwork> {
  const asked = { contract: request.contract, cuts: namesOfCuts(request.cut) };
  const { backbone, contract, from, description, missing } = await openAnyGraph(path, asked, listener);
  const { file, input } = backbone;
  if (missing !== null)
    listener.note?.(`Without a contract, shapes are those of squares of ${contract.size} x ${contract.size} pixels.`);
  const declared = value(file.inputs.find(({ name }) => name === input.name)!);
  return {
    facts: {
      name: backbone.name,
      kind: 'graph',
      file: path,
      digest: file.digest,
      opsets: Object.fromEntries([...file.opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
      licence: description?.licence ?? null,
      source: description?.source ?? null,
      input: { ...declared, layout: input.layout, batch: input.batch ?? null },
      outputs: file.outputs.map(value),
      cuts: cutFacts(backbone, contract.size),
      defaultCut: backbone.defaultCut,
      contract: missing === null ? contract : null,
      contractFrom: missing === null ? from : null,
      contractMissing: missing,
    },
    network: missing === null ? { backbone, contract } : undefined,
    cuts: parseCuts(request.cut, backbone),
    description,
  };
}

/** Opens the network of a name or a file and measures it. Throws what frozenNetwork throws, but CONTRACT_MISSING. */
export async function describeNetwork(name: string, request: Request, listener: Listener): Promise<DescribedNetwork> {
  const layers = layerBackbone(name);
  if (layers !== undefined) return describeLayers(layers, request);
  return describeGraph(await graphFile({ ...request, backbone: name }), request, listener);
}

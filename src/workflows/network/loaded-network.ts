import type { Listener } from '../../core/listener.ts';
import { isLayerBackbone, type Backbone, type BackboneWeights } from '../../extract/backbones/backbone.ts';
import { graphCut } from '../../extract/backbones/cut-layers.ts';
import type { Engine, Executable } from '../../extract/engines/engine.ts';
import { isLayerProgram, networkId, type NetworkProgram, type Program } from '../../extract/program.ts';
import { isQuantized } from '../../extract/onnx/int8/quantization-plan.ts';
import { loadWeights } from '../../extract/weights/load-weights.ts';
import { layerBefore } from '../../extract/weights/tuned-weights.ts';
import type { FeatureSettings, FeatureTail } from '../../store/format/fingerprint.ts';
import { loadChecked, type CheckRequest } from './engine/agreement-check.ts';
import type { CutRequest } from './cuts.ts';
import type { FrozenNetwork } from './frozen-network.ts';
import { openTail, withTail } from './tail.ts';
import { tunedWeights, type TunedLayers } from './tuned-layers.ts';

/** What makes a fine-tuned network of a frozen one, and what its settings say of it. */
export type TunedPart = TunedLayers & Pick<FeatureSettings, 'weights' | 'tail'>;

/** A network whose weights are read, and what its settings say of it. */
export interface LoadedNetwork {
  readonly program: NetworkProgram;
  readonly settings: Pick<FeatureSettings, 'backbone' | 'weights' | 'tail'>;
  /** Of a tuned network: the weights that it began with, and the part of it that runs by itself. */
  readonly tail?: { readonly base: BackboneWeights; readonly weights: BackboneWeights; readonly tail: FeatureTail };
}

/** Reads the weights; throws what that throws, and OPTION_INVALID for a tuned network that is no list of layers. */
export async function loadNetwork(
  { backbone, contract, weights: file }: FrozenNetwork,
  tuned: TunedPart | undefined,
  listener: Listener,
): Promise<LoadedNetwork> {
  if (!isLayerBackbone(backbone)) {
    const program = { backbone, contract };
    if (isQuantized(backbone.file)) {
      listener.note?.(
        `${backbone.name} is quantized already: its integers run as they are, and fp32 is what is around them.`,
      );
    }
    return { program, settings: networkId(program) };
  }
  const base = await loadWeights({ backbone, ...(file && { file }) });
  for (const note of base.notes) listener.note?.(note);
  const weights = tuned === undefined ? base : tunedWeights(base, tuned, { ...tuned, backbone: backbone.name });
  const program = { backbone, contract, weights };
  const tail = tuned?.tail;
  if (tail === undefined) return { program, settings: networkId(program) };
  return { program, settings: { ...networkId(program), tail }, tail: { base, weights, tail } };
}

/** What settings of a cut say of a graph. */
export function graphSettings(backbone: Backbone, cut: string): Pick<FeatureSettings, 'graph'> {
  if (isLayerBackbone(backbone)) return {};
  const { prefix } = graphCut(backbone, cut).shape;
  return { graph: { layout: backbone.input.layout, ...(prefix !== undefined && { prefix }) } };
}

/** The deepest cut that the engine runs: of a tuned network with a tail, which runs by itself, that before it. */
export const engineCut = (backbone: Backbone, cut: string, { tail }: Pick<FeatureSettings, 'tail'>): string =>
  tail !== undefined && isLayerBackbone(backbone) ? layerBefore(backbone, tail.from)! : cut;

/** What of a whole network its engine runs: of a tuned one with a tail the frozen part, to the cut before the tail. */
export function engineProgram(whole: Program, { tail: opened }: LoadedNetwork): Program {
  if (opened === undefined || !isLayerProgram(whole)) return whole;
  const { base, tail } = opened;
  const outputs = [{ cut: layerBefore(whole.backbone, tail.from)!, pooling: 'flatten' }] as const;
  return { ...whole, weights: base, outputs };
}

/** A whole network as its engine runs it, checked once, and the tail behind it. Throws ENGINE_DISAGREES. */
export async function loadWhole(
  engine: Engine,
  whole: Program,
  loaded: LoadedNetwork,
  cuts: readonly CutRequest[],
  check: CheckRequest,
): Promise<Executable> {
  const run = engineProgram(whole, loaded);
  if (loaded.tail === undefined || !isLayerProgram(whole)) return loadChecked(engine, run, check);
  const { weights, tail } = loaded.tail;
  const behind = await openTail(whole.backbone, weights, tail, whole.contract.size, cuts[0]!.poolings);
  try {
    return withTail(await loadChecked(engine, run, check), behind, tail.maps);
  } catch (error) {
    await behind.dispose();
    throw error;
  }
}

import type { Int8Calibration } from '../../../core/calibration.ts';
import { createSession, onnxRuntime } from '../../../core/onnxruntime.ts';
import type { OnnxNode } from '../../../core/onnx-model.ts';
import type { DecodedImage } from '../../image/decoded-images.ts';
import { PIXELS, type GraphProgram } from '../../program.ts';
import { assemble, graphFields, untypedOutputs } from '../assemble.ts';
import { cutGraph } from '../cut-graph.ts';
import { clearedNames, freePrefix, pixelsInput } from '../graph-model.ts';
import { pixelFront } from '../pixel-front.ts';
import { joined } from '../wire/wire.ts';
import { quantizationPlan, stepsUpTo, takesBias } from './quantization-plan.ts';

/** The tensors whose ranges a cut of a graph needs in int8, by name. Throws OPTION_INVALID as quantizationPlan. */
export function calibratedTensors({ file }: GraphProgram['backbone'], cut: string): readonly string[] {
  return [...new Set(stepsUpTo(file, quantizationPlan(file), cut).values())].sort();
}

/** Tensors whose channels have a mean that biases behind them make up for, and whether they are maps. */
function correctedTensors({ file }: GraphProgram['backbone']): ReadonlyMap<string, boolean> {
  const products = [...quantizationPlan(file).products].filter(([node]) => takesBias(node));
  return new Map(products.map(([{ op }, { data }]) => [data, op === 'Conv']));
}

/** What is found of a tensor of one image: the names of outputs, of one number each, and of one a channel. */
interface Reduced {
  readonly min: string;
  readonly max: string;
  readonly mean: string | undefined;
}

/** The graph that reduces each of these tensors, of one image. */
function reducingModel(
  { backbone, contract }: Omit<GraphProgram, 'outputs'>,
  tensors: readonly string[],
): { readonly model: Uint8Array; readonly reduced: readonly Reduced[] } {
  const { name, file, input } = backbone;
  const part = cutGraph(file, tensors);
  const prefix = freePrefix(part);
  const renamed = clearedNames(file, part, [PIXELS], prefix);
  const nameOf = (tensor: string): string => renamed.get(tensor) ?? tensor;
  const front = pixelFront(PIXELS, { ...input, name: nameOf(input.name) }, contract, `${prefix}pixels/`);
  const nodes: OnnxNode[] = [];
  const add = (op: string, tensor: string, output: string, attributes: OnnxNode['attributes'] = {}): string => {
    nodes.push({ op, inputs: [nameOf(tensor)], outputs: [`${prefix}${output}`], attributes });
    return `${prefix}${output}`;
  };
  const corrected = correctedTensors(backbone);
  const reduced = tensors.map((tensor, i): Reduced => {
    const isMap = corrected.get(tensor);
    return {
      min: add('ReduceMin', tensor, `min${i}`, { keepdims: 0 }),
      max: add('ReduceMax', tensor, `max${i}`, { keepdims: 0 }),
      // Of one image a row of a Gemm is its mean.
      mean: isMap === undefined ? undefined : add(isMap ? 'GlobalAveragePool' : 'Identity', tensor, `mean${i}`),
    };
  });
  const ours = { name, nodes, initializers: [], inputs: [], outputs: [] };
  const model = assemble(file, part, {
    front: graphFields({ name, ...front, inputs: pixelsInput(contract.size, 1), outputs: [] }, prefix),
    behind: joined([graphFields(ours, prefix), untypedOutputs(nodes.map(({ outputs }) => outputs[0]!))]),
    names: renamed,
  });
  return { model, reduced };
}

/** Digits of a mean that are kept: more change a bias by less than a step. */
const MEAN_DIGITS = 4;

/**
 * What int8 needs to know of each tensor that it rounds on the way to `cut`, found on the images by the graph itself in
 * float32: the least and the largest value, and where biases make up for it (takesBias) the mean of each channel.
 * Throws OPTION_INVALID for a graph that int8 cannot be made of, ENGINE_FAILED.
 */
export async function calibrateGraph(
  program: Omit<GraphProgram, 'outputs'>,
  cut: string,
  images: readonly DecodedImage[],
  threads: number,
  onImage: () => void,
): Promise<Required<Pick<Int8Calibration, 'ranges' | 'means'>>> {
  const { size } = program.contract;
  const tensors = calibratedTensors(program.backbone, cut);
  const { model, reduced } = reducingModel(program, tensors);
  const session = await createSession(model, { intraOpNumThreads: threads });
  const found = reduced.map(() => ({ min: Infinity, max: -Infinity, sums: new Float64Array() }));
  try {
    const { Tensor } = await onnxRuntime();
    for (const { pixels } of images) {
      const results = await session.run({ [PIXELS]: new Tensor('uint8', pixels, [1, size, size, 3]) });
      const valuesOf = (name: string): Float32Array => results[name]!.data as Float32Array;
      reduced.forEach(({ min, max, mean }, i) => {
        const one = found[i]!;
        one.min = Math.min(one.min, valuesOf(min)[0]!);
        one.max = Math.max(one.max, valuesOf(max)[0]!);
        if (mean !== undefined) one.sums = Float64Array.from(valuesOf(mean), (value, c) => value + (one.sums[c] ?? 0));
      });
      onImage();
    }
  } finally {
    await session.release();
  }
  const meanOf = (sum: number): number => Number((sum / images.length).toPrecision(MEAN_DIGITS));
  return {
    ranges: Object.fromEntries(tensors.map((tensor, i) => [tensor, { min: found[i]!.min, max: found[i]!.max }])),
    means: Object.fromEntries(
      tensors.flatMap((tensor, i) =>
        reduced[i]!.mean === undefined ? [] : [[tensor, Array.from(found[i]!.sums, meanOf)] as const],
      ),
    ),
  };
}

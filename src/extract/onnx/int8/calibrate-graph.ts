import type { Int8Calibration } from '../../../core/calibration.ts';
import { createSession, onnxRuntime } from '../../../core/onnxruntime.ts';
import type { DecodedImage } from '../../image/decoded-images.ts';
import { PIXELS, type GraphProgram } from '../../program.ts';
import { assemble, graphFields, untypedOutputs } from '../assemble.ts';
import { cutGraph } from '../cut-graph.ts';
import { clearedNames, freePrefix, pixelsInput } from '../graph-model.ts';
import { pixelFront } from '../pixel-front.ts';
import { clipRange } from './clip-range.ts';
import { histogram } from './histogram.ts';
import { quantizationPlan, stepsUpTo } from './quantization-plan.ts';

/** The tensors whose ranges a cut of a graph needs in int8, by name. Throws OPTION_INVALID as quantizationPlan. */
export function calibratedTensors({ file }: GraphProgram['backbone'], cut: string): readonly string[] {
  return [...new Set(stepsUpTo(file, quantizationPlan(file), cut).values())].sort();
}

/** The graph from the pixels of one image to each of these tensors. */
function tensorsModel({ backbone, contract }: Omit<GraphProgram, 'outputs'>, tensors: readonly string[]) {
  const { name, file, input } = backbone;
  const part = cutGraph(file, tensors);
  const prefix = freePrefix(part);
  const renamed = clearedNames(file, part, [PIXELS], prefix);
  const nameOf = (tensor: string): string => renamed.get(tensor) ?? tensor;
  const front = pixelFront(PIXELS, { ...input, name: nameOf(input.name) }, contract, `${prefix}pixels/`);
  const names = tensors.map(nameOf);
  const model = assemble(file, part, {
    front: graphFields({ name, ...front, inputs: pixelsInput(contract.size, 1), outputs: [] }, prefix),
    behind: untypedOutputs(names),
    names: renamed,
  });
  return { model, names };
}

/** Digits of a mean that are kept: more change a bias by less than a step. */
const MEAN_DIGITS = 4;

/** The mean of each channel of a tensor over images. */
interface Means {
  add(values: Float32Array, dims: readonly number[]): void;
  readonly all: readonly number[];
}

/** Means along the axis that a Conv's channels lie along (1), or a matrix product's (the last). */
function channelMeans(isMap: boolean): Means {
  let sums = new Float64Array();
  let count = 0;
  return {
    add(values, dims) {
      const axis = isMap ? 1 : dims.length - 1;
      const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
      const channels = dims[axis]!;
      if (sums.length === 0) sums = new Float64Array(channels);
      for (let from = 0, channel = 0; from < values.length; from += inner, channel = (channel + 1) % channels) {
        let sum = 0;
        for (let i = from; i < from + inner; i++) sum += values[i]!;
        sums[channel]! += sum;
      }
      count += values.length / channels;
    },
    get all() {
      return Array.from(sums, (sum) => Number((sum / count).toPrecision(MEAN_DIGITS)));
    },
  };
}

/**
 * What int8 needs to know of each tensor that it rounds on the way to `cut`, found on the images as the graph gives them
 * in float32: the range that loses least of its values, and of those that are multiplied by weights the mean of each
 * channel. All of these tensors of one image are in memory at once. Throws OPTION_INVALID for a graph that int8 cannot
 * be made of, ENGINE_FAILED.
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
  const multiplied = new Map(
    [...quantizationPlan(program.backbone.file).products].map(([{ op }, { data }]) => [
      data,
      channelMeans(op === 'Conv'),
    ]),
  );
  const { model, names } = tensorsModel(program, tensors);
  const session = await createSession(model, { intraOpNumThreads: threads });
  const counted = tensors.map((tensor) => ({ tensor, values: histogram(tensor), means: multiplied.get(tensor) }));
  try {
    const { Tensor } = await onnxRuntime();
    for (const { pixels } of images) {
      const found = await session.run({ [PIXELS]: new Tensor('uint8', pixels, [1, size, size, 3]) });
      for (const [i, { values, means }] of counted.entries()) {
        const { data, dims } = found[names[i]!]!;
        values.add(data as Float32Array);
        means?.add(data as Float32Array, dims);
      }
      onImage();
    }
  } finally {
    await session.release();
  }
  return {
    ranges: Object.fromEntries(counted.map(({ tensor, values }) => [tensor, clipRange(values)])),
    means: Object.fromEntries(counted.flatMap(({ tensor, means }) => (means ? [[tensor, means.all]] : []))),
  };
}

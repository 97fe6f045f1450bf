import type { Int8Calibration } from '../../../core/calibration.ts';
import { createSession, onnxRuntime } from '../../../core/onnxruntime.ts';
import type { DecodedImage } from '../../image/decoded-images.ts';
import { PIXELS, type GraphProgram } from '../../program.ts';
import { assemble, graphFields, untypedOutputs } from '../assemble.ts';
import { cutGraph } from '../cut-graph.ts';
import { clearedNames, freePrefix, pixelsInput } from '../graph-model.ts';
import { pixelFront } from '../pixel-front.ts';
import { clipRange } from './clip-range.ts';
import { histogram, type Histogram } from './histogram.ts';
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

/**
 * The values of each tensor that int8 rounds on the way to `cut`, counted over the images, as the graph gives them in
 * float32. All of these tensors of one image are in memory at once. Throws OPTION_INVALID for a graph that int8 cannot
 * be made of, ENGINE_FAILED.
 */
export async function countedTensors(
  program: Omit<GraphProgram, 'outputs'>,
  cut: string,
  images: readonly DecodedImage[],
  threads: number,
  onImage: () => void,
): Promise<ReadonlyMap<string, Histogram>> {
  const { size } = program.contract;
  const tensors = calibratedTensors(program.backbone, cut);
  const { model, names } = tensorsModel(program, tensors);
  const session = await createSession(model, { intraOpNumThreads: threads });
  const counted = tensors.map((tensor) => histogram(tensor));
  try {
    const { Tensor } = await onnxRuntime();
    for (const { pixels } of images) {
      const values = await session.run({ [PIXELS]: new Tensor('uint8', pixels, [1, size, size, 3]) });
      counted.forEach((one, i) => one.add(values[names[i]!]!.data as Float32Array));
      onImage();
    }
  } finally {
    await session.release();
  }
  return new Map(tensors.map((tensor, i) => [tensor, counted[i]!]));
}

/** The range of each of these tensors that loses least of its values on the images. Throws as countedTensors. */
export async function graphRanges(...given: Parameters<typeof countedTensors>): Promise<Int8Calibration['ranges']> {
  const counted = await countedTensors(...given);
  return Object.fromEntries([...counted].map(([tensor, values]) => [tensor, clipRange(values)]));
}

import type { Int8Calibration } from '../../../core/calibration.ts';
import { createSession, onnxRuntime } from '../../../core/onnxruntime.ts';
import type { OnnxNode } from '../../../core/onnx-model.ts';
import type { DecodedImage } from '../../image/decoded-images.ts';
import { PIXELS, type GraphProgram } from '../../program.ts';
import { assemble, graphFields } from '../assemble.ts';
import { cutGraph } from '../cut-graph.ts';
import { clearedNames, freePrefix, pixelsInput } from '../graph-model.ts';
import { pixelFront } from '../pixel-front.ts';
import { quantizationPlan, stepsUpTo } from './quantization-plan.ts';

/** The tensors whose ranges a cut of a graph needs in int8, by name. Throws OPTION_INVALID as quantizationPlan. */
export function calibratedTensors({ file }: GraphProgram['backbone'], cut: string): readonly string[] {
  return [...new Set(stepsUpTo(file, quantizationPlan(file), cut).values())].sort();
}

/** The graph with the least and the largest value of each tensor as its outputs, two numbers each. */
function rangesModel({ backbone, contract }: Omit<GraphProgram, 'outputs'>, tensors: readonly string[]): Uint8Array {
  const { file, input } = backbone;
  const part = cutGraph(file, tensors);
  const prefix = freePrefix(part);
  const renamed = clearedNames(file, part, [PIXELS], prefix);
  const nameOf = (name: string): string => renamed.get(name) ?? name;
  const front = pixelFront(PIXELS, { ...input, name: nameOf(input.name) }, contract, `${prefix}pixels/`);
  const reduced = tensors.flatMap((tensor, i): OnnxNode[] =>
    ['Min', 'Max'].map((what) => ({
      op: `Reduce${what}`,
      inputs: [nameOf(tensor)],
      outputs: [`${prefix}${what}${i}`],
      attributes: { keepdims: 0 },
    })),
  );
  const { name } = backbone;
  return assemble(file, part, {
    front: graphFields({ name, ...front, inputs: pixelsInput(contract.size, 1), outputs: [] }, prefix),
    behind: graphFields(
      {
        name,
        nodes: reduced,
        initializers: [],
        inputs: [],
        outputs: reduced.map(({ outputs }) => ({ name: outputs[0]!, type: 'float32', shape: [] })),
      },
      prefix,
    ),
    names: renamed,
  });
}

/**
 * The least and the largest value on any of the images of each tensor that int8 rounds on the way to `cut`, found by
 * the graph itself in float32. Throws OPTION_INVALID for a graph that int8 cannot be made of, ENGINE_FAILED.
 */
export async function graphRanges(
  program: Omit<GraphProgram, 'outputs'>,
  cut: string,
  images: readonly DecodedImage[],
  threads: number,
  onImage: () => void,
): Promise<Int8Calibration['ranges']> {
  const { size } = program.contract;
  const tensors = calibratedTensors(program.backbone, cut);
  const session = await createSession(rangesModel(program, tensors), { intraOpNumThreads: threads });
  const ranges = tensors.map(() => ({ min: Infinity, max: -Infinity }));
  try {
    const { Tensor } = await onnxRuntime();
    for (const { pixels } of images) {
      const found = await session.run({ [PIXELS]: new Tensor('uint8', pixels, [1, size, size, 3]) });
      const values = session.outputNames.map((name) => (found[name]!.data as Float32Array)[0]!);
      ranges.forEach((range, i) => {
        range.min = Math.min(range.min, values[2 * i]!);
        range.max = Math.max(range.max, values[2 * i + 1]!);
      });
      onImage();
    }
  } finally {
    await session.release();
  }
  return Object.fromEntries(tensors.map((tensor, i) => [tensor, ranges[i]!]));
}

import type { Contract } from '../../../core/contract.ts';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { createSession, onnxRuntime, type OnnxSession } from '../../../core/onnxruntime.ts';
import type { OnnxFile } from '../../backbones/onnx-file.ts';
import { PIXELS } from '../../program.ts';
import { assemble, graphFields, untypedOutputs } from '../assemble.ts';
import type { CutGraph } from '../cut-graph.ts';
import { clearedNames, freePrefix, pixelsInput } from '../graph-model.ts';
import type { ImageInput } from '../image-input.ts';
import { pixelFront } from '../pixel-front.ts';

/** What a tensor of a graph was in one run. */
export interface Measured {
  readonly dims: readonly number[];
  /** `float32`, `float16`, or what it is that features cannot be. */
  readonly type: string;
  readonly values: Float32Array;
}

/** A graph from pixels to some of its tensors as they are, on ONNX Runtime. */
export interface ProbeRun {
  /** One run of `count` images. Throws ENGINE_FAILED with the runtime's own message. */
  run(pixels: Uint8Array, count: number): Promise<ReadonlyMap<string, Measured>>;
  release(): Promise<void>;
}

type OnnxOutput = Awaited<ReturnType<OnnxSession['run']>>[string];

/** Half-precision bits (IEEE 754 binary16) as numbers. */
function fromHalf(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/** The values of a tensor of floats; of any other type none. */
function valuesOf({ type, data }: OnnxOutput): Float32Array {
  if (data instanceof Float32Array) return data;
  if (type !== 'float16') return new Float32Array(0);
  // Newer versions of Node.js have an array of half-precision numbers.
  return data instanceof Uint16Array ? fromHalf(data) : Float32Array.from(data as Iterable<number>);
}

/** Of what a run says of an image that was given `repeats` times, what it says of the first. */
function firstOf({ dims, type, values }: Measured, repeats: number): Measured {
  if (repeats === 1 || dims[0] !== repeats) return { dims, type, values };
  return { dims: [1, ...dims.slice(1)], type, values: values.subarray(0, values.length / repeats) };
}

/**
 * Loads a part of a graph behind the contract's arithmetic, for any number of images, to run it some times; of a file
 * with a batch baked in for one image, which is given `repeats` times. Throws
 * ENGINE_FAILED with the runtime's own message, CONTRACT_INVALID.
 */
export async function openProbe(
  file: OnnxFile,
  part: CutGraph,
  tensors: readonly string[],
  { input, contract, repeats }: { readonly input: ImageInput; readonly contract: Contract; readonly repeats: number },
): Promise<ProbeRun> {
  const prefix = freePrefix(part);
  const names = clearedNames(file, part, [PIXELS], prefix);
  const nameOf = (name: string): string => names.get(name) ?? name;
  const model = assemble(file, part, {
    front: graphFields(
      {
        name: 'probe',
        ...pixelFront(PIXELS, { ...input, name: nameOf(input.name), repeats }, contract, `${prefix}pixels/`),
        inputs: pixelsInput(contract.size, 'batch'),
        outputs: [],
      },
      prefix,
    ),
    behind: untypedOutputs(tensors.map(nameOf)),
    names,
  });
  const { Tensor } = await onnxRuntime();
  const session = await createSession(model, {
    executionProviders: ['cpu'],
    enableMemPattern: false,
    logSeverityLevel: 4,
  });
  const { size } = contract;
  return {
    async run(pixels, count) {
      const results = await session
        .run({ [PIXELS]: new Tensor('uint8', pixels, [count, size, size, 3]) })
        .catch((cause: unknown) => {
          throw new PermafrostError('ENGINE_FAILED', `ONNX Runtime could not run the network: ${reasonOf(cause)}`, {
            cause,
          });
        });
      return new Map(
        tensors.map((name) => {
          const result = results[nameOf(name)]!;
          return [name, firstOf({ dims: result.dims, type: result.type, values: valuesOf(result) }, repeats)];
        }),
      );
    },
    release: () => session.release(),
  };
}

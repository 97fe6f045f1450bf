import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { random } from '../../../core/random.ts';
import type { Measured, ProbeRun } from './probe-run.ts';

/** What tensors are of one grey image and one of noise, alone; and how many images a run may have. */
export interface ImagesAlone {
  readonly grey: ReadonlyMap<string, Measured>;
  readonly noise: ReadonlyMap<string, Measured>;
  /** undefined: any number. */
  readonly batch: 1 | undefined;
  /** Why images are run one at a time. */
  readonly note?: string;
}

/**
 * How far features of one image may lie apart, by Euclidean length, for it to be the order of sums (1e-5) or rounding:
 * to half precision, or of a value between two steps of 8 bits. Other images change them by far more.
 */
const SAME = { float32: 1e-3, float16: 4e-3 } as const;

/** |a - b| / |a|. */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, length] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    length += a[i]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / length);
}

const areSame = (a: Float32Array, b: Float32Array, type: string): boolean =>
  a.length === b.length && !(distance(a, b) > SAME[type === 'float16' ? 'float16' : 'float32']);

/** Is this what one image gives: one row, of numbers that can be features? */
export const isOfOneImage = ({ dims, values }: Measured): boolean =>
  dims[0] === 1 && dims.length > 1 && values.length > 0;

/** Whether two images together give two rows, and those that each gives alone. */
function together(pair: Measured, grey: Measured, noise: Measured): 'independent' | 'other shape' | 'dependent' {
  const { values, dims, type } = pair;
  const half = values.length / 2;
  if (dims[0] !== 2 || dims.slice(1).join() !== grey.dims.slice(1).join()) return 'other shape';
  const same =
    areSame(grey.values, values.subarray(0, half), type) && areSame(noise.values, values.subarray(half), type);
  return same ? 'independent' : 'dependent';
}

/**
 * Runs a grey image and one of noise alone and together: a batch of one that is baked in, and features that depend on
 * the other images of a run, show so, and are helped by running one at a time. `failed` makes the error of an image
 * that does not run alone. Of a file with a larger batch baked in, the probe gives each image `repeats` times. Throws
 * BACKBONE_INVALID where one image has other features the second time.
 */
export async function imagesAlone(
  probe: ProbeRun,
  size: number,
  failed: (error: unknown) => PermafrostError,
  repeats: number,
): Promise<ImagesAlone> {
  const length = size * size * 3;
  const generator = random(1);
  const grey = new Uint8Array(length).fill(128);
  const noise = Uint8Array.from({ length }, () => generator.below(256));
  const run = (pixels: Uint8Array, count: number): ReturnType<ProbeRun['run']> => probe.run(pixels, count);
  const ofGrey = await run(grey, 1).catch((error: unknown) => {
    throw failed(error);
  });
  const [ofNoise, again] = [await run(noise, 1), await run(noise, 1)];
  const names = [...ofGrey].flatMap(([name, value]) => (isOfOneImage(value) ? [name] : []));
  const unsteady = names.find((name) => !areSame(ofNoise.get(name)!.values, again.get(name)!.values, 'float32'));
  if (unsteady !== undefined) {
    throw new PermafrostError(
      'BACKBONE_INVALID',
      `The network gives one image other features each time, at "${unsteady}": it computes with random numbers. Export it for inference (PyTorch: model.eval()).`,
    );
  }
  const alone = { grey: ofGrey, noise: ofNoise };
  const one = (why: string): ImagesAlone => ({
    ...alone,
    batch: 1,
    note: `Images go through the network one at a time: ${why}.`,
  });
  if (repeats > 1) {
    return one(
      `a batch of ${repeats} is baked into it, so each is given ${repeats} times and takes ${repeats} times as long. Export it for one image, or for any number`,
    );
  }
  const pair = new Uint8Array(2 * length);
  pair.set(grey);
  pair.set(noise, length);
  let ofPair: ReadonlyMap<string, Measured>;
  try {
    ofPair = await run(pair, 2);
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code !== 'ENGINE_FAILED') throw error;
    return one(`a batch of one is baked into it (two together: ${reasonOf(error)})`);
  }
  for (const name of names) {
    const how = together(ofPair.get(name)!, ofGrey.get(name)!, ofNoise.get(name)!);
    if (how === 'other shape') return one(`a batch of one is baked into it (at "${name}")`);
    if (how === 'dependent') {
      return one(
        `features at "${name}" depend on the other images of a run, as where activations are normalised or quantized over the batch`,
      );
    }
  }
  return { ...alone, batch: undefined };
}

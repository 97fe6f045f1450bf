import { inGigabytes } from '../../../core/words.ts';
import { BASE_BYTES, checkBound } from '../../memory.ts';
import { sizeOf as valuesOf, tailShapes } from '../../../extract/tail-shapes.ts';
import type { DenseHead } from '../../../extract/training.ts';
import { programOf, type Tail } from './tail.ts';

/** Memory that is not exceeded where more is allowed: larger runs are no faster. */
const MOST_BYTES = 2e9;

/**
 * Bytes that one image of a run takes for each number that the convolutions read or give: the transformed tiles of all
 * three passes. Measured on ONNX Runtime: 28 to 42, the most where maps are small (bench/finetune/memory.mjs).
 */
const BYTES_PER_VALUE = 32;
/** Copies of each weight: 6 to 13 of the engine, with transformed kernels and gradients, Adam's four, the start. */
const WEIGHT_COPIES = 19;

/** What a tail takes, in numbers. */
export interface TailSize {
  /** Numbers that are trained. */
  readonly parameters: number;
  /** Numbers of an image that its convolutions read and give. */
  readonly activations: number;
}

/** The size of a tail with a dense layer. */
export function sizeOf(tail: Tail, head: DenseHead): TailSize {
  const parameters = [...tailShapes(programOf(tail, head, 1)).values()].reduce(
    (sum, shape) => sum + valuesOf(shape),
    0,
  );
  let { height, width, channels } = tail.input;
  let activations = 0;
  for (const layer of tail.layers) {
    if (layer.kind === 'maxPool') [height, width] = [height >> 1, width >> 1];
    else {
      activations += height * width * (channels + layer.filters);
      channels = layer.filters;
    }
  }
  return { parameters, activations };
}

/**
 * Images of one run: `asked`, or as many as fit 2 GB and the bound, halved from the batch on. Throws OPTION_INVALID
 * where not even one fits.
 */
export function microBatchOf(
  { parameters, activations }: TailSize,
  batch: number,
  asked: number,
  bound: number,
): number {
  const fixed = BASE_BYTES + 4 * WEIGHT_COPIES * parameters;
  const bytesOf = (images: number): number => fixed + images * activations * BYTES_PER_VALUE;
  if (asked > 0) return Math.min(asked, batch);
  let images = batch;
  while (images > 1 && bytesOf(images) > Math.min(bound, MOST_BYTES)) images = Math.ceil(images / 2);
  checkBound(
    'finetune',
    bound,
    bytesOf(images),
    'training one image at a time',
    `Give at least ${inGigabytes(bytesOf(1))} with --memory, or train fewer layers with --from.`,
  );
  return images;
}

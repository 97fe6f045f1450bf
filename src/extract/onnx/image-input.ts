import { PermafrostError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import type { GraphInput } from '../backbones/backbone.ts';
import { typeName } from './wire/element-types.ts';
import { layoutByReaders, type Layout } from './layout.ts';
import type { OnnxFile, OnnxFileValue } from '../backbones/onnx-file.ts';

/** The input that takes images, as the file declares it. */
export interface ImageInput extends Pick<GraphInput, 'name' | 'layout' | 'dtype'> {
  /** Height and width where the file fixes them. */
  readonly height?: number;
  readonly width?: number;
  /** Images at a time where the file fixes them. Some files do and yet compute any number: the probe finds out. */
  readonly declaredBatch?: number;
  /** What was assumed, for the user. */
  readonly note?: string;
}

/** What images can be given as, by TensorProto.DataType. */
const DTYPES: Readonly<Record<number, GraphInput['dtype'] | undefined>> = { 1: 'float32', 2: 'uint8', 10: 'float16' };

/** An input in words: `image float32 (batch, 3, 224, 224)`. */
export const inputInWords = ({ name, type, shape }: OnnxFileValue): string =>
  `${name} ${typeName(type)} (${shape.map((size) => size || '?').join(', ')})`;

/** By sizes and their names alone: three channels in the second or the last place. */
function layoutByShape({ shape }: OnnxFileValue): Layout | 'either' | undefined {
  if (shape.length === 0) return 'either';
  if (shape.length !== 4) return undefined;
  const could = (size: number | string): boolean => size === 3 || typeof size === 'string';
  const [first, last] = [could(shape[1]!), could(shape[3]!)];
  if (first && last && shape[1] !== shape[3]) {
    if (shape[1] === 3 || /chan/i.test(String(shape[1]))) return 'NCHW';
    if (shape[3] === 3 || /chan/i.test(String(shape[3]))) return 'NHWC';
  }
  return first && last ? 'either' : first ? 'NCHW' : last ? 'NHWC' : undefined;
}

const takesImages = (value: OnnxFileValue): boolean =>
  DTYPES[value.type] !== undefined && layoutByShape(value) !== undefined;

function invalid({ path, inputs }: OnnxFile, found: string): PermafrostError {
  const listed = inputs.map(inputInWords).join('; ') || 'none';
  return new PermafrostError(
    'BACKBONE_INVALID',
    `${path} ${found}. Expected one input of images with 3 channels, (batch, 3, height, width) or (batch, height, width, 3) in float32, float16 or uint8; its inputs are: ${listed}. ` +
      `Take the image encoder of a network that needs more than an image, exported by itself.`,
  );
}

function chosen(file: OnnxFile, name: string | undefined): OnnxFileValue {
  if (name !== undefined) {
    const found = file.inputs.find((input) => input.name === name);
    if (found !== undefined && takesImages(found)) return found;
    if (found !== undefined) throw invalid(file, `has an input "${name}" that takes no images`);
    const names = file.inputs.map((input) => input.name);
    throw new PermafrostError(
      'OPTION_INVALID',
      `${file.path} has no input "${name}"${suggest(name, names)}. Its inputs are: ${names.join(', ')}.`,
    );
  }
  const images = file.inputs.filter(takesImages);
  // What states four axes is an image rather than what states nothing.
  const sure = images.filter(({ shape }) => shape.length === 4);
  const best = sure.length > 0 ? sure : images;
  if (best.length === 0) throw invalid(file, 'has no input of images');
  if (best.length > 1)
    throw invalid(file, `has ${best.length} inputs of images, ${best.map((one) => one.name).join(' and ')}`);
  return best[0]!;
}

/**
 * The input of a file that takes images: the one of that name, else the only one that can. Its layout is told by where
 * the 3 channels are, else by the operators that read it, unless it is `said`. Throws BACKBONE_INVALID with the inputs
 * that are there; OPTION_INVALID for a name that is not there.
 */
export function imageInput(file: OnnxFile, name?: string, said?: Layout): ImageInput {
  const value = chosen(file, name);
  const { shape } = value;
  const byShape = layoutByShape(value);
  const told = said ?? (byShape === 'either' ? layoutByReaders(file, value.name) : byShape);
  const layout = told ?? 'NCHW';
  const [height, width] = layout === 'NCHW' ? [shape[2], shape[3]] : [shape[1], shape[2]];
  return {
    name: value.name,
    layout,
    dtype: DTYPES[value.type]!,
    ...(typeof height === 'number' && { height }),
    ...(typeof width === 'number' && { width }),
    ...(typeof shape[0] === 'number' && { declaredBatch: shape[0] }),
    ...(told === undefined && {
      note: `Neither the shape of the input ${inputInWords(value)} nor its readers tell where the channels are: taken as (batch, 3, height, width).`,
    }),
  };
}

import { PermafrostError } from '../../../core/errors.ts';
import { matrix, type Matrix } from '../../../core/matrix.ts';
import type { HeadTensors } from './head-file.ts';

type HeadTensor = NonNullable<ReturnType<HeadTensors['get']>>;

/** What of a head file the tensors of probe images begin with. */
const PREFIX = 'probe';

/**
 * Images that a head file carries, with what its training engine made of them: another engine is compared by them where
 * the store is gone.
 */
export interface ProbeImages {
  /** For each network whose features the head takes, in their order: a lossless WebP file of its square an image. */
  readonly squares: readonly (readonly Uint8Array[])[];
  /** What the head answers, shape (images, classes). */
  readonly answers: Matrix;
  /** The features that it answers to, shape (images, width); undefined where they would take much room. */
  readonly features: Matrix | undefined;
}

/** Files one after the other as int32 words, each filled up with zeros; and how many bytes each has. */
function packed(files: readonly Uint8Array[]): { readonly words: Int32Array; readonly lengths: Int32Array } {
  const sizes = files.map(({ length }) => Math.ceil(length / 4));
  const words = new Int32Array(sizes.reduce((sum, size) => sum + size, 0));
  const bytes = new Uint8Array(words.buffer);
  let at = 0;
  for (const [i, file] of files.entries()) {
    bytes.set(file, at);
    at += 4 * sizes[i]!;
  }
  return { words, lengths: Int32Array.from(files, ({ length }) => length) };
}

/** Probe images as tensors of a head file: older versions read the head and leave them alone. */
export function probeTensors({ squares, answers, features }: ProbeImages): HeadTensors {
  const tensors = new Map<string, HeadTensor>();
  const put = (name: string, { data, rows, cols }: Matrix): void => {
    tensors.set(`${PREFIX}/${name}`, { shape: [rows, cols], data });
  };
  put('answers', answers);
  if (features !== undefined) put('features', features);
  for (const [network, files] of squares.entries()) {
    const { words, lengths } = packed(files);
    tensors.set(`${PREFIX}/squares/${network}`, { shape: [words.length], data: words });
    tensors.set(`${PREFIX}/lengths/${network}`, { shape: [lengths.length], data: lengths });
  }
  return tensors;
}

/** What a head file says of the shapes of its probe images. */
interface ProbeShapes {
  readonly networks: number;
  readonly classes: number;
  readonly width: number;
}

/** The probe images of a head file; undefined where it carries none. Throws HEAD_CORRUPT. */
export function readProbeImages(
  tensors: HeadTensors,
  { networks, classes, width }: ProbeShapes,
  file: string,
): ProbeImages | undefined {
  const corrupt = (): never => {
    throw new PermafrostError('HEAD_CORRUPT', `${file}: its probe images are not whole. Train it again.`);
  };
  const matrixOf = (name: string, cols: number, rows?: number): Matrix | undefined => {
    const tensor = tensors.get(`${PREFIX}/${name}`);
    if (tensor === undefined) return undefined;
    const { shape, data } = tensor;
    const isRight = data instanceof Float32Array && shape.length === 2 && shape[1] === cols && shape[0]! > 0;
    return isRight && shape[0] === (rows ?? shape[0])
      ? matrix(shape[0]!, cols, data as Float32Array<ArrayBuffer>)
      : corrupt();
  };
  const answers = matrixOf('answers', classes);
  if (answers === undefined) return undefined;
  const images = answers.rows;
  const filesOf = (network: number): Uint8Array[] => {
    const lengths = tensors.get(`${PREFIX}/lengths/${network}`)?.data;
    const words = tensors.get(`${PREFIX}/squares/${network}`)?.data;
    if (!(lengths instanceof Int32Array) || !(words instanceof Int32Array) || lengths.length !== images)
      return corrupt();
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    let at = 0;
    return Array.from(lengths, (length) => {
      const end = at + length;
      if (length <= 0 || end > bytes.length) return corrupt();
      const found = bytes.subarray(at, end);
      at += 4 * Math.ceil(length / 4);
      return found;
    });
  };
  return {
    squares: Array.from({ length: networks }, (_, network) => filesOf(network)),
    answers,
    features: matrixOf('features', width, images),
  };
}

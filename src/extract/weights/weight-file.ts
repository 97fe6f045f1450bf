import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readWhole } from '../../core/files/read-file.ts';
import type { SafeTensor } from '../../core/safetensors.ts';

/** A tensor that lies in a file. Its values are read only when type and shape turned out to fit. */
export interface StoredTensor {
  /** `F32`, or whatever else the file has, in the words of its format. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The values, row-major. Throws WEIGHTS_CORRUPT where the file's storage is damaged. */
  read(): SafeTensor['data'];
}

/** A weights file, before it is compared with a backbone. Tensors are named `layer/kernel` and `layer/bias`. */
export interface WeightFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Remarks for the user on how the file was read. */
  readonly notes: readonly string[];
}

/** A weights file whose bytes are in memory. */
export function fileInMemory(path: string, tensors: ReadonlyMap<string, SafeTensor>): WeightFile {
  const stored = [...tensors].map(
    ([name, { dtype, shape, data }]) => [name, { dtype, shape, read: () => data }] as const,
  );
  return { path, tensors: new Map(stored), notes: [] };
}

/** The bytes of a file of weights. Throws WEIGHTS_NOT_FOUND where it cannot be read. */
export async function readWeightBytes(path: string): Promise<Uint8Array> {
  try {
    return await readWhole(path);
  } catch (cause) {
    throw new PermafrostError(
      'WEIGHTS_NOT_FOUND',
      `The weights file ${path} cannot be read: ${reasonOf(cause)}. Give the path of a .safetensors file, of an index .json of such files, or of a Keras .h5 file.`,
      { cause },
    );
  }
}

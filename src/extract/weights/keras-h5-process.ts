import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { PermafrostError, reasonOf, type ErrorCode } from '../../core/errors.ts';
import type { SafeTensor } from '../../core/safetensors.ts';
import type { LayerBackbone } from '../backbones/backbone.ts';
import { NO_BYTES } from '../isolated/parcels.ts';
import { processPool } from '../isolated/process-pool.ts';
import { whyEnded } from '../isolated/why-ended.ts';
import { corruptH5 } from './keras-h5.ts';
import type { StoredTensor, WeightFile } from './weight-file.ts';

/** What the process is to read. Plain data: it crosses the border of processes. */
export interface H5Job {
  readonly path: string;
  readonly backbone: LayerBackbone;
}

export type H5Answer =
  | {
      /** Every tensor of the file; with its values where the backbone has one of that name and shape in float32. */
      readonly tensors: readonly (readonly [
        string,
        Omit<StoredTensor, 'read'> & { readonly data?: SafeTensor['data'] },
      ])[];
      readonly notes: readonly string[];
    }
  | { readonly code: ErrorCode; readonly message: string };

/** Milliseconds to begin with, for a process that starts on a busy machine; reading the 59 MB of VGG16 takes 0.3 s. */
const BASE_MS = 30_000;
/** The slowest disk that is waited for: 10 MB/s. */
const BYTES_PER_MS = 10_000;

/** Memory beside the file: a process with HDF5 in it; and how often a file is held: read, as values, to be sent. */
const BASE_BYTES = 2 ** 30;
const COPIES = 4;

const read = processPool<H5Job, H5Answer>({
  entry: new URL(`./read-keras-h5${extname(import.meta.url)}`, import.meta.url),
  oneTask: true,
  ended: (how, { path }, limits) => corruptH5(path, `its reader ${whyEnded(how, limits)}`),
  late: ({ path }, { mostMs }) =>
    corruptH5(
      path,
      `its reader had not ended after ${(mostMs / 1000).toFixed(0)} s and was stopped, as it does where the file's structure leads in circles`,
    ),
});

/**
 * Reads a Keras HDF5 weights file in a process of its own: one changed byte can keep HDF5 busy without end, and it
 * keeps a file open that it failed to read. `mostMs`: when it is stopped; default 30 s and a second for every 10 MB.
 * Throws WEIGHTS_NOT_FOUND, WEIGHTS_CORRUPT, WEIGHTS_MISMATCH or PACKAGE_MISSING (keras-h5.ts).
 */
export async function readKerasH5(path: string, backbone: LayerBackbone, mostMs?: number): Promise<WeightFile> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new PermafrostError('WEIGHTS_NOT_FOUND', `The weights file ${path} cannot be read: ${reasonOf(cause)}.`, {
      cause,
    });
  });
  if (!facts.isFile())
    throw new PermafrostError(
      'WEIGHTS_NOT_FOUND',
      `The weights file ${path} cannot be read: it is a folder, a pipe, a socket or a device, no file.`,
    );
  const { size } = facts;
  const { content: answer } = await read({ path, backbone }, NO_BYTES, {
    mostMs: mostMs ?? BASE_MS + size / BYTES_PER_MS,
    mostBytes: BASE_BYTES + size * COPIES,
  });
  if ('code' in answer) throw new PermafrostError(answer.code, answer.message);
  const tensors = answer.tensors.map(([name, { dtype, shape, data }]): [string, StoredTensor] => [
    name,
    {
      dtype,
      shape,
      read() {
        if (data === undefined) throw corruptH5(path, `the values of ${name} were not read`);
        return data;
      },
    },
  ]);
  return { path, tensors: new Map(tensors), notes: answer.notes };
}

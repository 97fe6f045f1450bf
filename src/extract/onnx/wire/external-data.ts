import { open, realpath, type FileHandle } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { reasonOf } from '../../../core/errors.ts';
import { byteLength } from './element-types.ts';
import type { WireTensor } from '../../backbones/onnx-file.ts';
import type { ExternalPlace, ParsedTensor } from './parse-tensor.ts';
import type { Fail } from './wire.ts';

/** A protobuf message holds less than 2 GiB, and runtimes are given the whole model as one. */
export const MOST_BYTES = 2 ** 31 - 1;

const isInside = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

/**
 * The path of an external file, links followed. It must lie in the folder of the model as it was named, and, with links
 * followed, in the folder where the model lies: caches of downloads link both into one folder.
 */
async function insideFolder(model: string, location: string, fail: Fail): Promise<string> {
  const folder = dirname(model);
  const path = join(folder, location);
  if (isAbsolute(location) || location.includes('\0') || location.includes('\\') || !isInside(folder, path)) {
    return fail(
      `values in the external file "${location}", which must be the name of a file in the folder of the model, without ".."`,
    );
  }
  try {
    const target = await realpath(path);
    const [named, lying] = await Promise.all([realpath(folder), realpath(model).then(dirname)]);
    if (isInside(named, target) || isInside(lying, target)) return target;
  } catch (error) {
    return fail(
      `values in the external file "${location}", which cannot be read (${reasonOf(error)}): it belongs beside the model, under the name that it was saved with`,
    );
  }
  return fail(`values in the external file "${location}", a link that leads out of the folder of the model`);
}

/** How many bytes of a tensor are read, by its shape and by what is said. */
function lengthOf({ name, type, dims }: ParsedTensor, { location, length }: ExternalPlace, fail: Fail): number {
  const needed = byteLength(type, dims);
  if (needed === undefined) return fail(`the tensor "${name}" of texts in an external file`);
  if (length !== undefined && length !== needed) {
    fail(`the tensor "${name}" with ${length} bytes of "${location}", its shape (${dims.join(', ')}) needs ${needed}`);
  }
  return needed;
}

async function bytesAt(file: FileHandle, length: number, offset: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 2 ** 30), offset + done);
    if (bytesRead === 0) return undefined;
    done += bytesRead;
  }
  return bytes;
}

/**
 * The tensors with the values of external ones read, each once; only regular files inside the folder of the model, and
 * with the `modelBytes` of the model less than 2 GiB.
 */
export async function withExternalData(
  model: string,
  modelBytes: number,
  tensors: Iterable<ParsedTensor>,
  fail: Fail,
): Promise<ReadonlyMap<string, WireTensor>> {
  const files = new Map<string, FileHandle>();
  const read = new Map<string, WireTensor>();
  let total = modelBytes;
  async function handle(location: string): Promise<FileHandle> {
    const known = files.get(location);
    if (known !== undefined) return known;
    const file = await open(await insideFolder(model, location, fail)).catch((error: unknown) =>
      fail(`values in the external file "${location}", which cannot be read: ${reasonOf(error)}`),
    );
    files.set(location, file);
    return file;
  }
  try {
    for (const tensor of tensors) {
      const { place, ...inFile } = tensor;
      if (place === undefined) {
        read.set(tensor.name, inFile);
        continue;
      }
      const length = lengthOf(tensor, place, fail);
      total += length;
      if (total > MOST_BYTES) fail(`${total} bytes and more with its external values: ${TOO_LARGE}`);
      const file = await handle(place.location);
      const stats = await file.stat();
      const external =
        stats.isFile() && place.offset + length <= stats.size ? await bytesAt(file, length, place.offset) : undefined;
      if (external === undefined) {
        return fail(
          `the tensor "${tensor.name}" at bytes ${place.offset} to ${place.offset + length} of "${place.location}", which has ${stats.size}: it is cut off, or of another model`,
        );
      }
      read.set(tensor.name, { ...inFile, external });
    }
    return read;
  } finally {
    for (const file of files.values()) await file.close();
  }
}

/** Why 2 GiB and more are refused. */
export const TOO_LARGE =
  'a runtime is given the whole model as one protobuf message, which holds less than 2 GiB. Export it in float16, or take a smaller network';

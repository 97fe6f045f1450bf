import { access } from 'node:fs/promises';
import type * as h5wasm from 'h5wasm/node';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { SafeTensor } from '../../core/safetensors.ts';
import type { LayerBackbone } from '../backbones/backbone.ts';
import { findKerasTensors, type H5Entry } from './keras-layouts.ts';
import type { StoredTensor, WeightFile } from './weight-file.ts';

type Hdf5 = typeof h5wasm;

let loaded: Promise<Hdf5> | undefined;

/** HDF5 compiled to WebAssembly, loaded on first use. Throws PACKAGE_MISSING where it does not load. */
function hdf5(): Promise<Hdf5> {
  loaded ??= import('h5wasm/node')
    .then(async (library) => {
      const module = await library.ready;
      // Without this the library prints HDF5's error stack to stderr and returns nonsense.
      module.activate_throwing_error_handler();
      return library;
    })
    .catch((cause: unknown) => {
      loaded = undefined;
      throw new PermafrostError(
        'PACKAGE_MISSING',
        `h5wasm, which reads .h5 files, does not load: ${reasonOf(cause)}. Run "npm ci" again, or convert the weights to .safetensors.`,
        { cause },
      );
    });
  return loaded;
}

/** All data sets below a group. Links to elsewhere are not followed. */
function listEntries(library: Hdf5, group: h5wasm.Group, prefix = ''): H5Entry[] {
  const groupName = Object.hasOwn(group.attrs, 'name') ? group.attrs['name']?.value : undefined;
  return group.keys().flatMap((key) => {
    const path = prefix + key;
    const item = group.get(key);
    if (item instanceof library.Group) return listEntries(library, item, `${path}/`);
    if (!(item instanceof library.Dataset)) return [];
    return [{ path, groupName: typeof groupName === 'string' ? groupName : undefined }];
  });
}

/** The innermost line of HDF5's error stack, ` #006: file.c line 388 in H5F__super_read(): file signature ...`. */
function hdf5Reason(cause: unknown): string {
  const stack = cause instanceof Error ? [...cause.message.matchAll(/#\d+: .*?\(\): (.*)/g)] : [];
  return stack.at(-1)?.[1] ?? reasonOf(cause);
}

/** The error of a file that cannot be read, for the reason `what`. */
export function corruptH5(path: string, what: string, cause?: unknown): PermafrostError {
  return new PermafrostError(
    'WEIGHTS_CORRUPT',
    `${path} cannot be read as HDF5: ${what}. Expected a weights file written by Keras; download or save it again.`,
    { cause },
  );
}

/**
 * Opens a Keras HDF5 weights file in any layout that findKerasTensors knows. The file stays open, and a damaged one may
 * keep HDF5 busy without end: only for a process that ends thereafter (read-keras-h5.ts). Throws WEIGHTS_NOT_FOUND,
 * WEIGHTS_CORRUPT, WEIGHTS_MISMATCH (layers cannot be told apart) or PACKAGE_MISSING.
 */
export async function openKerasH5(path: string, backbone: LayerBackbone): Promise<WeightFile> {
  try {
    await access(path);
  } catch (cause) {
    throw new PermafrostError('WEIGHTS_NOT_FOUND', `The weights file ${path} cannot be read: ${reasonOf(cause)}.`, {
      cause,
    });
  }
  const library = await hdf5();
  const guarded = <T>(action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      throw corruptH5(path, hdf5Reason(cause), cause);
    }
  };
  const file = guarded(() => new library.File(path, 'r'));
  const layout = findKerasTensors(
    guarded(() => listEntries(library, file)),
    backbone,
    path,
  );
  const tensors = new Map<string, StoredTensor>();
  for (const [name, place] of layout.paths) {
    const dataset = guarded(() => file.get(place) as h5wasm.Dataset);
    tensors.set(name, {
      dtype: guarded(() => (dataset.dtype === '<f' ? 'F32' : JSON.stringify(dataset.dtype))),
      shape: guarded(() => dataset.shape ?? []),
      read: () => guarded(() => dataset.value as SafeTensor['data']),
    });
  }
  return { path, tensors, notes: layout.notes };
}

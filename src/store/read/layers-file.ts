import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { readSafetensors, safetensorsParts, type SafeTensor } from '../../core/safetensors.ts';
import { writeFileAtomic } from '../format/atomic-file.ts';
import type { FileEntry } from '../format/manifest.ts';
import { storeFiles } from './file.ts';

/** Tensors of changed layers by name, such as `block5_conv1/kernel`: float32, row-major. */
export type LayerTensors = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

/** Keeps the changed layers of a tuned network in the store, named by a digest of them. Throws STORE_WRITE. */
export async function writeLayers(store: string, layers: LayerTensors): Promise<FileEntry> {
  const typed = new Map([...layers].map(([name, tensor]): [string, SafeTensor] => [name, { dtype: 'F32', ...tensor }]));
  const parts = safetensorsParts(typed);
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const name = `layers-${hash.digest('hex').slice(0, 16)}.safetensors`;
  return { name, ...(await writeFileAtomic(join(store, name), parts)) };
}

/** Reads changed layers back. Throws STORE_CORRUPT where the file is missing or not what was written. */
export async function readLayers(store: string, entry: FileEntry): Promise<LayerTensors> {
  const source = { name: join(store, entry.name), code: 'STORE_CORRUPT' } as const;
  const layers = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  for (const [name, { dtype, shape, data }] of readSafetensors(await storeFiles(store).read(entry), source).tensors) {
    if (dtype !== 'F32')
      throw new PermafrostError(source.code, `${source.name}: the layer ${name} is ${dtype}, not F32.`);
    layers.set(name, { shape, data });
  }
  return layers;
}

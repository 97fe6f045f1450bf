import { fileURLToPath } from 'node:url';
import { PermafrostError } from '../../core/errors.ts';
import type { LayerBackbone } from '../backbones/backbone.ts';
import { BUNDLED_WEIGHTS } from '../backbones/vgg.ts';
import { readSharded, type ShardedFile } from './sharded.ts';

/**
 * Reads the weights that come with the package; all bytes are verified against the index, `digest` is known. Throws
 * WEIGHTS_NOT_FOUND where none come for this backbone or a file is gone, WEIGHTS_CORRUPT.
 */
export async function readBundled(backbone: LayerBackbone): Promise<ShardedFile & { readonly digest: string }> {
  const bundled = BUNDLED_WEIGHTS.get(backbone.name);
  if (bundled === undefined) {
    throw new PermafrostError(
      'WEIGHTS_NOT_FOUND',
      `No weights come with permafrost for ${backbone.name}, only for ${[...BUNDLED_WEIGHTS.keys()].join(', ')}. Pass the path of a weights file.`,
    );
  }
  // The same depth below the package's root in src/ and in dist/.
  const path = fileURLToPath(new URL(`../../../data/weights/${bundled.index}`, import.meta.url));
  const file = await readSharded(path);
  if (file.digest !== bundled.digest) {
    throw new PermafrostError(
      'WEIGHTS_CORRUPT',
      `${path} states the digest ${file.digest}, the weights that come with permafrost have ${bundled.digest}. Install the package again.`,
    );
  }
  return { ...file, digest: bundled.digest };
}

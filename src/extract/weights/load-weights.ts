import { extname } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { readSafetensors } from '../../core/safetensors.ts';
import type { LayerBackbone, BackboneWeights } from '../backbones/backbone.ts';
import { readBundled } from './bundled.ts';
import { fitWeights, weightsDigest } from './fit-weights.ts';
import { readKerasH5 } from './keras-h5-process.ts';
import { readSharded } from './sharded.ts';
import { fileInMemory, readWeightBytes, type WeightFile } from './weight-file.ts';

/** Whose weights, and from where. */
export interface LoadWeightsOptions {
  readonly backbone: LayerBackbone;
  /** A .safetensors file, an index .json of such files, or a Keras .h5; default: the bundled weights. */
  readonly file?: string;
}

/** Weights that fit their backbone, with the path they came from and remarks for the user. */
export interface LoadedWeights extends BackboneWeights {
  readonly source: string;
  readonly notes: readonly string[];
}

async function openWeights(path: string, backbone: LayerBackbone): Promise<WeightFile> {
  const extension = extname(path).toLowerCase();
  switch (extension) {
    case '.safetensors': {
      const { tensors } = readSafetensors(await readWeightBytes(path), { name: path, code: 'WEIGHTS_CORRUPT' });
      return fileInMemory(path, tensors);
    }
    case '.json':
      return readSharded(path);
    case '.h5':
    case '.hdf5':
      return readKerasH5(path, backbone);
    default:
      throw new PermafrostError(
        'OPTION_INVALID',
        `${path} ends in "${extension}". Weights are read from .safetensors, .json (an index of safetensors shards), .h5 and .hdf5${extension === '.keras' ? '; a .keras file is a zip archive, unpack it and take the model.weights.h5 inside' : ''}.`,
      );
  }
}

/**
 * Loads and checks the weights of a backbone. Throws WEIGHTS_NOT_FOUND, WEIGHTS_CORRUPT, WEIGHTS_MISMATCH (the tensor
 * that does not fit, named) or OPTION_INVALID (a kind of file that is not read).
 */
export async function loadWeights({ backbone, file }: LoadWeightsOptions): Promise<LoadedWeights> {
  if (file === undefined) {
    const bundled = await readBundled(backbone);
    return { ...fitWeights(backbone, bundled), digest: bundled.digest, source: bundled.path };
  }
  const read = await openWeights(file, backbone);
  const { tensors, notes } = fitWeights(backbone, read);
  return { tensors, notes, digest: weightsDigest(tensors), source: file };
}

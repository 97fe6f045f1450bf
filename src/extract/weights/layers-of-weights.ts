import { PermafrostError } from '../../core/errors.ts';
import type { LayerBackbone } from '../backbones/backbone.ts';
import { loadWeights } from './load-weights.ts';

/**
 * Of several lists of layers the one that a weights file fits, with the digest of its weights. Throws WEIGHTS_MISMATCH,
 * naming why each is not it, where it fits none, and what loadWeights throws of a file that cannot be read.
 */
export async function layersOfWeights(
  file: string,
  backbones: readonly LayerBackbone[],
): Promise<{ readonly backbone: LayerBackbone; readonly digest: string }> {
  const reasons: string[] = [];
  for (const backbone of backbones) {
    try {
      const { digest } = await loadWeights({ backbone, file });
      return { backbone, digest };
    } catch (error) {
      if (!(error instanceof PermafrostError && error.code === 'WEIGHTS_MISMATCH')) throw error;
      reasons.push(error.message);
    }
  }
  throw new PermafrostError('WEIGHTS_MISMATCH', reasons.join(' '));
}

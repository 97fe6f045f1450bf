import { PermafrostError } from '../../../core/errors.ts';
import type { ConvLayer, Layer, LayerBackbone } from '../../../extract/backbones/backbone.ts';
import { featureWidth, layersUpTo, outputShape, type ActivationShape } from '../../../extract/backbones/cut-layers.ts';
import type { DenseHead, TailProgram } from '../../../extract/training.ts';
import { layerBefore, layersFrom } from '../../../extract/weights/tuned-weights.ts';

/** The trained layers, and what they read. */
export interface Tail {
  readonly from: string;
  /** The layer whose activations they read; undefined where they read the prepared pixels. */
  readonly cut: string | undefined;
  readonly layers: readonly Layer[];
  /** Of one image. */
  readonly input: ActivationShape;
  readonly output: ActivationShape;
  /** Of the last layer: where the dense layer stands on. */
  readonly last: string;
}

/**
 * The layers of a backbone from one on, for squares of `size` pixels. Throws OPTION_INVALID for an unknown layer, one
 * that is no convolution, and a size that is too small.
 */
export function tailFrom(backbone: LayerBackbone, from: string, size: number): Tail {
  if (layersUpTo(backbone, from).at(-1)!.kind !== 'conv')
    throw new PermafrostError(
      'OPTION_INVALID',
      `finetune: from must be a convolution, for other layers have nothing to train, got "${from}". Choose one of: ${backbone.layers
        .filter((layer) => layer.kind === 'conv')
        .map(({ name }) => name)
        .join(', ')}. "permafrost train" trains heads alone.`,
    );
  const cut = layerBefore(backbone, from);
  const layers = layersFrom(backbone, from);
  const last = layers.at(-1)!.name;
  return {
    from,
    cut,
    layers,
    input: cut === undefined ? { height: size, width: size, channels: 3 } : outputShape(backbone, cut, size),
    output: outputShape(backbone, last, size),
    last,
  };
}

/** The tail with a dense layer behind it, `batch` images a run. */
export const programOf = ({ layers, input }: Tail, head: DenseHead, batch: number): TailProgram => ({
  layers,
  input,
  batch,
  head,
});

/** Numbers that the dense layer reads. */
export const headWidth = ({ output }: Pick<Tail, 'output'>, { pooling }: Pick<DenseHead, 'pooling'>): number =>
  featureWidth(output, pooling);

/** The convolutions of a tail. */
export const convolutionsOf = ({ layers }: Pick<Tail, 'layers'>): ConvLayer[] =>
  layers.filter((layer): layer is ConvLayer => layer.kind === 'conv');

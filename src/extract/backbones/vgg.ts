import type { Layer, LayerBackbone } from './backbone.ts';

function block(number: number, inputs: number, filters: number, convs: number): Layer[] {
  const layers: Layer[] = [];
  for (let i = 1; i <= convs; i++) {
    layers.push({ kind: 'conv', name: `block${number}_conv${i}`, inputs: i === 1 ? inputs : filters, filters });
  }
  return [...layers, { kind: 'maxPool', name: `block${number}_pool` }];
}

/**
 * The convolutional base of VGG16: 13 convolutions, 5 pools, 14,714,688 parameters, total stride 32. Configuration D of
 * Simonyan and Zisserman, arXiv 1409.1556, table 1; layer names as in Keras.
 */
export const vgg16: LayerBackbone = {
  name: 'vgg16',
  layers: [
    ...block(1, 3, 64, 2),
    ...block(2, 64, 128, 2),
    ...block(3, 128, 256, 3),
    ...block(4, 256, 512, 3),
    ...block(5, 512, 512, 3),
  ],
};

/**
 * Weights that come with the package, by the name of their network: index in data/weights, and the tensors' digest,
 * which make-shards.mjs prints.
 */
export const BUNDLED_WEIGHTS: ReadonlyMap<string, { readonly index: string; readonly digest: string }> = new Map([
  [
    vgg16.name,
    {
      index: 'vgg16-imagenet.safetensors.index.json',
      digest: '39665ff667be8d53f344e7a5c1c09023772dca8e16b0330c2464a9340dc2af17',
    },
  ],
]);

/** That of VGG19: 16 convolutions, 5 pools, 20,024,384 parameters. Configuration E of the same table. */
export const vgg19: LayerBackbone = {
  name: 'vgg19',
  layers: [
    ...block(1, 3, 64, 2),
    ...block(2, 64, 128, 2),
    ...block(3, 128, 256, 4),
    ...block(4, 256, 512, 4),
    ...block(5, 512, 512, 4),
  ],
};

/** The networks that are lists of layers, the default first. */
export const LAYER_BACKBONES: readonly [LayerBackbone, ...LayerBackbone[]] = [vgg16, vgg19];

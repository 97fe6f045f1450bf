import * as h5wasm from 'h5wasm/node';
import type { LayerBackbone, BackboneWeights } from '../../src/extract/backbones/backbone.ts';

/** A data set to be written: its path in the file and its values. */
export interface H5Dataset {
  readonly path: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** A layout: which data sets a file of these weights holds, and which groups carry an attribute `name`. */
export type Layout = (
  backbone: LayerBackbone,
  weights: BackboneWeights,
) => { readonly datasets: readonly H5Dataset[]; readonly groupNames?: ReadonlyMap<string, string> };

const byPath =
  (pathOf: (layer: string, kind: 'kernel' | 'bias') => string): Layout =>
  (_, weights) => ({
    datasets: [...weights.tensors].map(([name, tensor]) => {
      const [layer, kind] = name.split('/') as [string, 'kernel' | 'bias'];
      return { path: pathOf(layer, kind), ...tensor };
    }),
  });

/**
 * Keras 3's `.weights.h5`: conv2d, conv2d_1 ... in layer order; from 3.4 or so each with the layer's name as an
 * attribute.
 */
const variables =
  (container: string, named: boolean): Layout =>
  (backbone, weights) => {
    const convs = backbone.layers.filter(({ kind }) => kind === 'conv').map(({ name }) => name);
    const groups = convs.map((_, i) => `${container}/conv2d${i === 0 ? '' : `_${i}`}/vars`);
    const datasets = convs.flatMap((layer, i) =>
      ['kernel', 'bias'].map((kind, variable) => ({
        path: `${groups[i]}/${variable}`,
        ...weights.tensors.get(`${layer}/${kind}`)!,
      })),
    );
    return named ? { datasets, groupNames: new Map(groups.map((group, i) => [group, convs[i]!])) } : { datasets };
  };

const extra = (base: Layout, more: readonly string[]): Layout => {
  return (backbone, weights) => {
    const made = base(backbone, weights);
    const zeros = more.map((path) => ({ path, shape: [2], data: new Float32Array(2) }));
    return { ...made, datasets: [...made.datasets, ...zeros] };
  };
};

/**
 * The layouts as Keras really wrote them (Keras 3.15, tf_keras 2.21, the files of keras-applications), by where they
 * come from.
 */
export const KERAS_LAYOUTS: Readonly<Record<string, Layout>> = {
  'keras-applications, notop': byPath((layer, kind) => `${layer}/${layer}_${kind === 'kernel' ? 'W' : 'b'}_1:0`),
  'keras-applications, with top layers': extra(
    byPath((layer, kind) => `${layer}/${layer}_${kind === 'kernel' ? 'W' : 'b'}_1:0`),
    ['fc1/fc1_W_1:0', 'fc1/fc1_b_1:0', 'fc2/fc2_W_1:0', 'predictions/predictions_W_1:0'],
  ),
  'Keras 2 save_weights': byPath((layer, kind) => `${layer}/${layer}/${kind}:0`),
  'Keras 2 model.save after training': extra(
    byPath((layer, kind) => `model_weights/${layer}/${layer}/${kind}:0`),
    ['optimizer_weights/Adam/m/block1_conv1/kernel:0', 'optimizer_weights/Adam/v/block1_conv1/bias:0'],
  ),
  'Keras 3 model.save': byPath((layer, kind) => `model_weights/${layer}/${layer}/${kind}`),
  'model.save with the backbone as a sub-model': extra(
    byPath((layer, kind) => `model_weights/vgg16/${layer}/${kind}`),
    ['model_weights/dense/sequential/dense/kernel', 'model_weights/dense/sequential/dense/bias'],
  ),
  'Keras 3 save_weights': extra(variables('layers', true), ['optimizer/vars/0', 'optimizer/vars/1']),
  'Keras 3 save_weights of a nested model': variables('layers/functional/layers', true),
  'Keras 2.15 .weights.h5, without layer names': extra(variables('_layer_checkpoint_dependencies', false), [
    'metrics/mean/vars/0',
    'optimizer/vars/0',
  ]),
};

/** Writes data sets to a new HDF5 file, making the groups on the way. */
export async function writeH5(
  path: string,
  { datasets, groupNames = new Map<string, string>() }: ReturnType<Layout>,
): Promise<void> {
  await h5wasm.ready;
  const file = new h5wasm.File(path, 'w');
  const groups = new Set<string>();
  for (const { path: place, shape, data } of datasets) {
    const segments = place.split('/').slice(0, -1);
    for (let depth = 1; depth <= segments.length; depth++) {
      const group = segments.slice(0, depth).join('/');
      if (groups.has(group)) continue;
      groups.add(group);
      const created = file.create_group(group);
      const name = groupNames.get(group);
      if (name !== undefined) created.create_attribute('name', name);
    }
    file.create_dataset({ name: place, data, shape: [...shape] });
  }
  file.close();
}

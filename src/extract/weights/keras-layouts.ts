import { PermafrostError } from '../../core/errors.ts';
import type { LayerBackbone } from '../backbones/backbone.ts';

/** A data set in an HDF5 file. */
export interface H5Entry {
  /** Full path without a leading slash. */
  readonly path: string;
  /** Attribute `name` of its group: Keras 3 notes there the layer whose variables the group holds. */
  readonly groupName: string | undefined;
}

/** Where each tensor lies, by `layer/kernel` or `layer/bias`; also of layers that the backbone does not have. */
export interface KerasLayout {
  readonly paths: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

/** `model.save` puts the model below model_weights; optimizer and metrics have variables of the same kind. */
function modelEntries(entries: readonly H5Entry[]): readonly H5Entry[] {
  const inside = entries.filter(({ path }) => path.startsWith('model_weights/'));
  return inside.length > 0
    ? inside
    : entries.filter(({ path }) => !/^(optimizer|optimizer_weights|metrics)\//.test(path));
}

/** `kernel:0` and `block1_conv1_W_1:0` (the files of keras-applications) are kernels; `bias` and `_b_1` biases. */
function kindOfLeaf(leaf: string): string {
  const name = leaf.replace(/:\d+$/, '');
  if (name === 'kernel' || /_W(_\d+)?$/.test(name)) return 'kernel';
  if (name === 'bias' || /_b(_\d+)?$/.test(name)) return 'bias';
  return name;
}

const kindOfVariable = (leaf: string): string => ['kernel', 'bias'][Number(leaf)] ?? leaf;

/** Rank of `conv2d`, `conv2d_1`, `conv2d_2` ... among their siblings; undefined for other groups. */
function convRank(group: string): number | undefined {
  const match = /^conv2d(?:_(\d+))?$/.exec(group);
  return match === null ? undefined : Number(match[1] ?? 0);
}

/** Layer names for groups `.../conv2d_N/vars` without names (Keras 2.12 to 3.x wrote none): the N-th conv layer. */
function namesByOrder(unnamed: readonly string[], convNames: readonly string[], file: string) {
  const groups = [...new Set(unnamed)];
  const parents = new Set(groups.map((group) => group.slice(0, group.lastIndexOf('/'))));
  if (groups.length !== convNames.length || parents.size !== 1) {
    throw new PermafrostError(
      'WEIGHTS_MISMATCH',
      `${file} has ${groups.length} convolutions without layer names in ${parents.size} groups, expected ${convNames.length} in one group, to be taken in order. Save the weights with model.save("model.h5"), which keeps the names.`,
    );
  }
  groups.sort((a, b) => rankOfGroup(a) - rankOfGroup(b));
  return new Map(groups.map((group, i) => [group, convNames[i]!]));
}

const rankOfGroup = (group: string): number => convRank(group.slice(group.lastIndexOf('/') + 1)) ?? 0;

/**
 * Finds the layers' tensors in each layout that Keras writes: keras-applications, `save_weights` of Keras 2,
 * `model.save` of Keras 2 and 3 (also with a nested backbone), and `.weights.h5` of Keras 3. Throws WEIGHTS_MISMATCH
 * where a tensor has two places or nameless layers cannot be told apart.
 */
export function findKerasTensors(entries: readonly H5Entry[], backbone: LayerBackbone, file: string): KerasLayout {
  const convNames = backbone.layers.filter(({ kind }) => kind === 'conv').map(({ name }) => name);
  const known = new Set(convNames);
  const unnamed = new Map<string, string[]>();
  const paths = new Map<string, string>();
  const place = (name: string, path: string): void => {
    const other = paths.get(name);
    if (other !== undefined && known.has(name.split('/')[0]!)) {
      throw new PermafrostError(
        'WEIGHTS_MISMATCH',
        `${file} has two tensors for ${name}: ${other} and ${path}. Save the one network alone.`,
      );
    }
    paths.set(name, path);
  };

  for (const { path, groupName } of modelEntries(entries)) {
    const segments = path.split('/');
    const leaf = segments.pop()!;
    if (segments.at(-1) === 'vars') {
      const group = segments.slice(0, -1).join('/');
      if (groupName !== undefined) place(`${groupName}/${kindOfVariable(leaf)}`, path);
      else if (convRank(segments.at(-2) ?? '') !== undefined) {
        unnamed.set(group, [...(unnamed.get(group) ?? []), path]);
      } else place(`${segments.at(-2)}/${kindOfVariable(leaf)}`, path);
    } else {
      const layer = segments.findLast((segment) => known.has(segment)) ?? segments.at(-1) ?? '';
      place(`${layer}/${kindOfLeaf(leaf)}`, path);
    }
  }
  if (unnamed.size === 0) return { paths, notes: [] };
  for (const [group, layer] of namesByOrder([...unnamed.keys()], convNames, file)) {
    for (const path of unnamed.get(group)!) {
      place(`${layer}/${kindOfVariable(path.slice(path.lastIndexOf('/') + 1))}`, path);
    }
  }
  return { paths, notes: [`${file} keeps no layer names: its ${convNames.length} convolutions were taken in order.`] };
}

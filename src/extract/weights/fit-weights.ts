import { createHash } from 'node:crypto';
import { few, PermafrostError } from '../../core/errors.ts';
import type { LayerBackbone, BackboneWeights, Layer } from '../backbones/backbone.ts';
import type { WeightFile } from './weight-file.ts';

interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

function tensorsOfLayer(layer: Layer): readonly ExpectedTensor[] {
  if (layer.kind === 'maxPool') return [];
  return [
    { name: `${layer.name}/kernel`, shape: [3, 3, layer.inputs, layer.filters] },
    { name: `${layer.name}/bias`, shape: [layer.filters] },
  ];
}

/** All tensors that a backbone needs, in layer order, kernel (HWIO) before bias. */
export function expectedTensors(backbone: LayerBackbone): readonly ExpectedTensor[] {
  return backbone.layers.flatMap(tensorsOfLayer);
}

const shapeText = (shape: readonly number[]): string => `(${shape.join(', ')})`;

function mismatch(path: string, text: string): never {
  throw new PermafrostError('WEIGHTS_MISMATCH', `${path} does not fit: ${text}`);
}

function layerNames(tensorNames: Iterable<string>): string[] {
  return [...new Set([...tensorNames].map((name) => name.split('/')[0]!))];
}

function shapeHint(found: readonly number[], expected: readonly number[]): string {
  const oihw = expected.length === 4 && [3, 2, 0, 1].every((axis, i) => found[i] === expected[axis]);
  return oihw
    ? 'The file has the axes of PyTorch (out, in, height, width); transpose them to (height, width, in, out).'
    : 'Take weights that were trained for this network.';
}

/** SHA-256 over names, shapes and float32 bytes in layer order: the same whatever file the tensors came from. */
export function weightsDigest(tensors: BackboneWeights['tensors']): string {
  const hash = createHash('sha256');
  for (const [name, { shape, data }] of tensors) {
    hash.update(`${name} ${shape.join('x')}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/**
 * Whether all values are finite: any other times zero is not a number. A loop, as `every` takes a second for VGG16's 15
 * million.
 */
export function isFinite(data: Float32Array): boolean {
  let zero = 0;
  for (let i = 0; i < data.length; i++) zero += data[i]! * 0;
  return zero === 0;
}

/** Layers that stand within the blocks of a network of the VGG family: in Keras' words, or in torchvision's. */
const WITHIN_BLOCKS = /^(block\d+_|features\.)/;
/** Convolutions that VGG19 has and VGG16 has not. */
const OF_VGG19 = ['block3_conv4', 'block4_conv4', 'block5_conv4'];

/**
 * Refuses a file with layers within the blocks that the backbone lacks: without them the network that results is one
 * that nobody trained. What comes after the blocks may be left out.
 */
function refuseOtherNetwork(backbone: LayerBackbone, path: string, surplus: readonly string[]): void {
  const missing = surplus.filter((layer) => WITHIN_BLOCKS.test(layer));
  if (missing.length === 0) return;
  const isVgg19 = OF_VGG19.every((layer) => missing.includes(layer));
  const whose = isVgg19 ? `it is VGG19, not ${backbone.name.toUpperCase()}` : `it is of another network`;
  mismatch(
    path,
    `it has ${few(missing, 8)}, which ${backbone.name} has not: ${whose}. Take weights of ${backbone.name}.`,
  );
}

/**
 * The tensors of `file` that the backbone needs, in layer order, checked for presence, type and shape. Other layers
 * (fc1, predictions, one's own head) are left out and named in `notes`. Throws WEIGHTS_MISMATCH naming the first tensor
 * that does not fit or the layers of another network, WEIGHTS_CORRUPT where values are not finite.
 */
export function fitWeights(
  backbone: LayerBackbone,
  { path, tensors, notes }: WeightFile,
): { readonly tensors: BackboneWeights['tensors']; readonly notes: readonly string[] } {
  const fitting = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const { name, shape } of expectedTensors(backbone)) {
    const found = tensors.get(name);
    if (found === undefined) {
      mismatch(
        path,
        `${backbone.name} needs the tensor ${name} of shape ${shapeText(shape)}, the file has only the layers ${few(layerNames(tensors.keys()), 8) || '(none)'}. Layers must have Keras' names.`,
      );
    }
    if (found.shape.join() !== shape.join()) {
      mismatch(
        path,
        `${name} has shape ${shapeText(found.shape)}, ${backbone.name} expects ${shapeText(shape)}. ${shapeHint(found.shape, shape)}`,
      );
    }
    const data = found.dtype === 'F32' ? found.read() : undefined;
    if (!(data instanceof Float32Array)) {
      mismatch(path, `${name} is ${found.dtype}, expected F32. Save the weights as float32.`);
    }
    if (!isFinite(data)) {
      throw new PermafrostError(
        'WEIGHTS_CORRUPT',
        `${path} is damaged: ${name} holds values that are no finite numbers. Download or save it again.`,
      );
    }
    fitting.set(name, { shape, data });
  }
  const ignored = layerNames([...tensors.keys()].filter((name) => !fitting.has(name)));
  if (ignored.length === 0) return { tensors: fitting, notes };
  refuseOtherNetwork(backbone, path, ignored);
  const note = `Ignored what is not part of the base of ${backbone.name}: ${few(ignored, 8)}.`;
  return { tensors: fitting, notes: [...notes, note] };
}

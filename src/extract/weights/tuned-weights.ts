import type { LayerBackbone, BackboneWeights } from '../backbones/backbone.ts';
import { cutLayerNames } from '../backbones/cut-layers.ts';
import { expectedTensors, isFinite, weightsDigest } from './fit-weights.ts';

/** The layers of a backbone from `from` on. Empty for a name that it has not. */
export function layersFrom({ layers }: LayerBackbone, from: string): LayerBackbone['layers'] {
  const first = layers.findIndex(({ name }) => name === from);
  return first < 0 ? [] : layers.slice(first);
}

/** The layer whose output the layers from `from` on read; undefined where that is the network's input. */
export function layerBefore(backbone: LayerBackbone, from: string): string | undefined {
  const names = cutLayerNames(backbone);
  return names[names.indexOf(from) - 1];
}

/**
 * What is wrong with tensors that are to stand in for those of a backbone from the layer `from` on: one too few or too
 * many, of another shape, or with values that are no finite numbers. Undefined where nothing is.
 */
export function problemOfLayers(
  backbone: LayerBackbone,
  from: string,
  layers: BackboneWeights['tensors'],
): string | undefined {
  const expected = expectedTensors({ ...backbone, layers: layersFrom(backbone, from) });
  if (expected.length === 0) return `${backbone.name} has no layer ${JSON.stringify(from)} with weights behind it`;
  for (const { name, shape } of expected) {
    const found = layers.get(name);
    const shapeText = `(${shape.join(', ')})`;
    if (found === undefined) return `the tensor ${name} of shape ${shapeText} is missing`;
    if (found.shape.join() !== shape.join())
      return `the tensor ${name} has shape (${found.shape.join(', ')}), ${backbone.name} needs ${shapeText}`;
    if (!isFinite(found.data)) return `the tensor ${name} holds values that are no finite numbers`;
  }
  const names = new Set(expected.map(({ name }) => name));
  const surplus = [...layers.keys()].find((name) => !names.has(name));
  return surplus === undefined ? undefined : `the tensor ${JSON.stringify(surplus)} is none of the changed layers`;
}

/** The base weights with `layers` in place of its own, with the digest of the whole; nothing is copied. */
export function withLayers(base: BackboneWeights, layers: BackboneWeights['tensors']): BackboneWeights {
  const tensors = new Map([...base.tensors].map(([name, tensor]) => [name, layers.get(name) ?? tensor] as const));
  return { tensors, digest: weightsDigest(tensors) };
}

import type { GraphBackbone } from '../backbones/backbone.ts';
import { CALLED_FEATURES } from './probing/default-cut.ts';
import { computedFrom } from './reach.ts';
import { beforeLastProduct } from './sensible-cuts.ts';

/** Fewer classes than that say little of one image. */
const LEAST_CLASSES = 50;

/**
 * The output in which a network names classes of its own, such as the 1,000 of ImageNet: a vector behind a last product
 * with constant weights that is no cut for features. Undefined where there is none.
 */
export function ownClassesOf({ file, input, cuts, defaultCut, aliases }: GraphBackbone): string | undefined {
  const computed = computedFrom(file, input.name);
  const own = defaultCut.replace(/:[a-z]+$/, '');
  const features = aliases?.get(own) ?? own;
  return file.outputs
    .map(({ name }) => name)
    .find((name) => {
      const cut = cuts.get(name);
      if (cut === undefined || cut.axes !== 'vector' || cut.shape.channels < LEAST_CLASSES) return false;
      if (name === features || CALLED_FEATURES.test(name)) return false;
      return beforeLastProduct(file, name, computed) !== undefined;
    });
}

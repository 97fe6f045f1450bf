import type { GraphBackbone } from '../backbones/backbone.ts';
import { CALLED_FEATURES } from './probing/default-cut.ts';
import { computedFrom } from './reach.ts';
import { beforeLastProduct } from './sensible-cuts.ts';

/** Fewer classes than that say little of one image. */
const LEAST_CLASSES = 50;

const CALLED_CLASSES = /logit|prob|class|score|softmax/i;

/**
 * The output in which a network names classes of its own, such as the 1,000 of ImageNet: a vector that is no cut for
 * features, behind a last product with constant weights or called so. Undefined where there is none.
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
      if (name === features || CALLED_FEATURES.test(name) || /pool/i.test(name)) return false;
      return CALLED_CLASSES.test(name) || beforeLastProduct(file, name, computed) !== undefined;
    });
}

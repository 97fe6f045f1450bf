import type { ViewsExtracted } from '../core/results.ts';
import type { Failure, Sample } from '../core/sample.ts';
import { applyView } from '../extract/augment.ts';
import { requireChange, viewParameters, viewSettings, type ViewPlan } from '../extract/view-parameters.ts';
import type { FeatureView } from '../store/fingerprint.ts';
import type { FeatureSet, Manifest } from '../store/manifest.ts';
import { currentSets } from '../store/parts.ts';
import type { ExtractOptions } from './extract-options.ts';
import type { FeatureSource } from './feature-source.ts';

/** The views that are wanted of each training image. */
export interface ViewsWish {
  readonly count: number;
  readonly seed: number;
  readonly plan: ViewPlan;
}

/** What the options ask for. Throws OPTION_INVALID for views that would change nothing. */
export function viewsWish(options: ExtractOptions): ViewsWish {
  const { views: count, viewSeed: seed, shear, zoom, horizontalFlip, rotation, shift, brightness } = options;
  const plan = { shear, zoom, horizontalFlip, rotation, shift, brightness };
  if (count > 0) requireChange(plan);
  return { count, seed, plan };
}

/** The options that ask for the views which the store's data set has. */
export function viewsOf(store: string, manifest: Manifest): Partial<ExtractOptions> {
  const count = manifest.dataset.views?.length ?? 0;
  if (count === 0) return {};
  const { seed, plan } = currentSets(store, manifest, 1)[0].set.settings.view!;
  return { views: count, viewSeed: seed, ...(plan as ViewPlan) };
}

/** What a fingerprint says of view `number` (1 and up). */
export function featureView({ seed, plan }: ViewsWish, number: number): FeatureView {
  return { ...viewSettings(plan, seed), number };
}

/** The same cuts of the same network, in view `number`. */
export function setsOfView({ sets }: FeatureSource, wish: ViewsWish, number: number): FeatureSource['sets'] {
  const view = featureView(wish, number);
  const [primary, ...others] = sets.map((set) => ({ ...set, settings: { ...set.settings, view } }));
  return [primary!, ...others];
}

/** Turns a decoded square (size, size, 3) into view `number` of the image with this digest. */
export function lookOf({ seed, plan }: ViewsWish, number: number, size: number) {
  return (pixels: Uint8Array, sha256: string): Uint8Array =>
    applyView(pixels, size, viewParameters(plan, seed, sha256, number));
}

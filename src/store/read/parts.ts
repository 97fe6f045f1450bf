// Until training reads a Store: the former functions, in terms of the new ones.
import type { FeaturePart, Pooling } from '../../core/sample.ts';
import type { Manifest } from '../format/manifest.ts';
import * as parts from './stored-parts.ts';

export { smallPooling, type StoredPart, type WantedSet } from './stored-parts.ts';

export const currentSets = (path: string, manifest: Manifest, view = 0) =>
  parts.currentSets({ path, manifest }, view);
export const partsText = (path: string, manifest: Manifest, of: readonly FeaturePart[]) =>
  parts.partsText({ path, manifest }, of);
export const storedParts = (
  path: string,
  manifest: Manifest,
  wanted: Pooling | readonly FeaturePart[],
  view = 0,
) => parts.storedParts({ path, manifest }, wanted, view);

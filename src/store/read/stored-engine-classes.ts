import { differences } from '../../core/digest.ts';
import type { FeatureSettings } from '../format/fingerprint.ts';
import { coveringSets, rowsOf, type FeatureSet, type Manifest } from '../format/manifest.ts';

/** Engine classes of stored features that agree with `settings` in all else: current sets first, then most rows. */
export function storedEngineClasses(manifest: Manifest, settings: Omit<FeatureSettings, 'engineClass'>): string[] {
  const current = new Set(coveringSets(manifest).map(({ fingerprint }) => fingerprint));
  const isCurrent = ({ fingerprint }: FeatureSet): boolean => current.has(fingerprint);
  return manifest.sets
    .filter((set) => differences({ ...set.settings, engineClass: '' }, { ...settings, engineClass: '' }).length === 0)
    .filter((set) => rowsOf(set) > 0)
    .sort((a, b) => Number(isCurrent(b)) - Number(isCurrent(a)) || rowsOf(b) - rowsOf(a))
    .map(({ settings: { engineClass } }) => engineClass);
}

import { restingOn, rowsOf, type FeatureSet, type ManifestDraft } from '../format/manifest.ts';
import type { DamagedFileResult } from './verify.ts';

/**
 * Takes damaged shards, sets and lists of samples out of a manifest in memory; returns how many rows are lost. A set
 * goes whole with what it rests on: no new image could ever join it.
 */
export function withoutDamaged(manifest: ManifestDraft, damaged: readonly DamagedFileResult[]): number {
  const names = new Set(damaged.map(({ name }) => name));
  const isUsable = (set: FeatureSet): boolean => restingOn(set).every(({ name }) => !names.has(name));
  let lost = 0;
  for (const set of manifest.sets) if (!isUsable(set)) lost += rowsOf(set);
  manifest.sets = manifest.sets.filter(isUsable);
  for (const set of manifest.sets) {
    const isWhole = (shard: (typeof set.shards)[number]): boolean =>
      Object.values(shard.files).every(({ name }) => !names.has(name));
    for (const shard of set.shards) if (!isWhole(shard)) lost += shard.rows;
    set.shards = set.shards.filter(isWhole);
  }
  const { tuned, others = [] } = manifest.dataset;
  const isThere = (name: string): boolean => manifest.sets.some(({ fingerprint }) => fingerprint === name);
  if (tuned) manifest.dataset.tuned = tuned.filter(({ fingerprint }) => isThere(fingerprint));
  const whole = others.filter(({ sets }) => sets.every(({ fingerprint }) => isThere(fingerprint)));
  if (whole.length > 0) manifest.dataset.others = whole;
  else delete manifest.dataset.others;
  if (manifest.dataset.samples && names.has(manifest.dataset.samples.name)) delete manifest.dataset.samples;
  return lost;
}

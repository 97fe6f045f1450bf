import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { POOLINGS, widthOf, type Pooling } from '../../core/sample.ts';
import { removeFile } from '../format/atomic-file.ts';
import type { FeatureSet } from '../format/manifest.ts';
import { readUnsealed, setOfUnsealed, unsealedNames, type UnsealedRows } from '../format/unsealed-file.ts';
import { isHalf } from './shard-rows.ts';

/** What was kept of a shard that was never sealed, as a killed or interrupted writer leaves it. */
export interface KeptRows {
  /** Its files, in the order of their rows, and what counts of them. */
  readonly names: readonly string[];
  readonly parts: readonly UnsealedRows[];
  /** The unit of the listing that its rows lie in. */
  readonly unit: number | null;
  /** The first row of the next file. */
  readonly end: number;
}

/** That, and which writer goes on with it. */
export interface KeptShard extends KeptRows {
  readonly poolings: readonly Pooling[];
  readonly decoder: number;
}

export const rowsOfKept = (kept: KeptRows | undefined): number =>
  kept?.parts.reduce((sum, { rows }) => sum + rows.length, 0) ?? 0;

/** Throws STORE_CORRUPT where rows are not of the numbers that the set has. */
function requireShape(store: string, name: string, set: FeatureSet, { rows, values }: UnsealedRows): void {
  const isOfSet = [...values].every(
    ([pooling, data]) =>
      data.length === rows.length * widthOf(set.widths, pooling) &&
      data instanceof Uint16Array === isHalf(set, pooling),
  );
  if (isOfSet) return;
  throw new PermafrostError(
    'STORE_CORRUPT',
    `${join(store, name)} has other features than its set, ${set.fingerprint}. Remove it: its images are extracted again.`,
  );
}

/** Some rows alone. */
function onlyRows(part: UnsealedRows, at: readonly number[]): UnsealedRows {
  if (at.length === part.rows.length) return part;
  const values = new Map<Pooling, Uint16Array | Float32Array>();
  for (const [pooling, data] of part.values) {
    const width = data.length / part.rows.length;
    const some = data.slice(0, at.length * width);
    at.forEach((row, i) => some.set(data.subarray(row * width, (row + 1) * width), i * width));
    values.set(pooling, some);
  }
  return { ...part, rows: at.map((i) => part.rows[i]!), values };
}

/**
 * What was kept of the shards of a set, of which each is to be sealed. Rows that `isHeld` says are in sealed shards do
 * not count, and files without others go: their shard was sealed just before a kill. Throws STORE_CORRUPT for a damaged
 * file, STORE_WRITE.
 */
export async function keptShards(
  store: string,
  set: FeatureSet,
  isHeld: (sha256: string, poolings: readonly Pooling[], decoder: number) => boolean,
): Promise<KeptShard[]> {
  const shards = new Map<string, KeptShard>();
  for (const name of await unsealedNames(store)) {
    if (setOfUnsealed(name) !== set.fingerprint) continue;
    const all = await readUnsealed(store, name);
    requireShape(store, name, set, all);
    const poolings = POOLINGS.filter((pooling) => all.values.has(pooling));
    const part = onlyRows(
      all,
      all.rows.flatMap(({ sha256 }, i) => (isHeld(sha256, poolings, all.decoder) ? [] : [i])),
    );
    if (part.rows.length === 0) {
      await removeFile(join(store, name));
      continue;
    }
    const key = `${all.decoder} ${poolings.join()}`;
    const { names = [], parts = [] } = shards.get(key) ?? {};
    shards.set(key, {
      poolings,
      decoder: all.decoder,
      unit: all.unit,
      names: [...names, name],
      parts: [...parts, part],
      end: all.from + all.rows.length,
    });
  }
  return [...shards.values()];
}

/** The names of the files of unsealed rows of other sets than `sets`. */
export async function unsealedOfOthers(store: string, sets: readonly FeatureSet[]): Promise<string[]> {
  const there = new Set(sets.map(({ fingerprint }) => fingerprint));
  return (await unsealedNames(store)).filter((name) => !there.has(setOfUnsealed(name)!));
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { canonicalJson } from '../core/digest.ts';
import { reasonOf } from '../core/errors.ts';
import { POOLINGS } from '../core/sample.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { fingerprintOf } from './fingerprint.ts';
import { poolingsOf, setSchema, shardSchema, type FeatureSet, type ShardEntry } from './manifest.ts';
import { sealJson, unseal, unsealExactly } from './sealed-json.ts';

const SEAL = /^.*-[0-9a-f]{16}-(\d{5,})\.json$/;

/** Whether a name is one that permafrost gives to shards, seals, lists of samples and calibrations. */
export const isStoreFile = (name: string): boolean =>
  SEAL.test(name) ||
  /-[0-9a-f]{16}-\d{5,}-(rows|flatten|avg|max)\.arrow$|^samples-[0-9a-f]{16}\.arrow$|^calibration-[0-9a-f]{16}\.json$/.test(
    name,
  );

/** Every name of a shard's files, its seal included. */
export const shardFileNames = (shard: ShardEntry): string[] => [
  ...Object.values(shard.files).map(({ name }) => name),
  sealName(shard),
];

/**
 * What a shard's seal says: the set that it is of, and its files with their digests. Manifests are rebuilt from seals. Version 1 is that of
 * shards with all poolings, which the stores of version 1 have: their seals need no change.
 */
const sealSchema = z.strictObject({
  format: z.literal('permafrost-shard'),
  version: z.literal([1, 2]),
  set: setSchema.omit({ shards: true }),
  shard: shardSchema,
});

/** The stem of a shard's file names: cut layer, fingerprint, number. */
export function shardStem({ settings, fingerprint }: FeatureSet, number: number): string {
  return `${settings.cut}-${fingerprint}-${String(number).padStart(5, '0')}`;
}

/** The name of a shard's seal: that of its files without the kind. */
export const sealName = (shard: ShardEntry): string =>
  shard.files.rows.name.replace(/-rows\.arrow$/, '.json');

/** The number of the set's next shard: above all that it has, so that no file is ever written twice. */
export function nextShardNumber(set: FeatureSet): number {
  const numbers = set.shards.map((shard) => Number(SEAL.exec(sealName(shard))?.[1] ?? -1));
  return Math.max(-1, ...numbers) + 1;
}

/** Writes the seal of a shard whose files are in place. Throws STORE_WRITE. */
export async function writeSeal(store: string, set: FeatureSet, shard: ShardEntry): Promise<void> {
  const text = sealJson(sealDocument(set, shard));
  await writeFileAtomic(join(store, sealName(shard)), [new TextEncoder().encode(text)]);
}

function sealDocument(
  { fingerprint, settings, engine, widths, quantization }: FeatureSet,
  shard: ShardEntry,
): Record<string, unknown> {
  const set = { fingerprint, settings, engine, widths, ...(quantization && { quantization }) };
  const version = poolingsOf(shard).length === POOLINGS.length ? 1 : 2;
  return { format: 'permafrost-shard', version, set, shard };
}

/** What is wrong with a shard's seal: undefined where it is there and says what the manifest says. */
export async function sealProblem(
  store: string,
  set: FeatureSet,
  shard: ShardEntry,
): Promise<string | undefined> {
  try {
    const found = unsealExactly(await readFile(join(store, sealName(shard)), 'utf8'));
    return canonicalJson(found) === canonicalJson(sealDocument(set, shard))
      ? undefined
      : 'says other things than the manifest';
  } catch (cause) {
    return reasonOf(cause);
  }
}

/** The sets of a store as its seals tell them, for a store whose manifest is lost; `damaged` are seals that say nothing. */
export async function setsFromSeals(
  store: string,
): Promise<{ sets: FeatureSet[]; damaged: { name: string; problem: string }[] }> {
  const names = (await readdir(store)).filter((name) => SEAL.test(name)).sort();
  const sets = new Map<string, FeatureSet>();
  const damaged: { name: string; problem: string }[] = [];
  for (const name of names) {
    try {
      const { set, shard } = sealSchema.parse(unseal(JSON.parse(await readFile(join(store, name), 'utf8'))));
      if (set.fingerprint !== fingerprintOf(set.settings) || sealName(shard) !== name)
        throw new Error('it is the seal of another shard');
      const found = sets.get(set.fingerprint) ?? { ...set, shards: [] };
      found.shards.push(shard);
      sets.set(set.fingerprint, found);
    } catch (cause) {
      damaged.push({ name, problem: reasonOf(cause) });
    }
  }
  return { sets: [...sets.values()], damaged };
}

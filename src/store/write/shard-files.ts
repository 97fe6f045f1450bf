import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { canonicalJson } from '../../core/digest.ts';
import { reasonOf } from '../../core/errors.ts';
import { DEFAULT_POOLINGS } from '../../core/sample.ts';
import { writeFileAtomic } from '../format/atomic-file.ts';
import { kindOf, SHARD_SEAL as SEAL } from '../format/file-kinds.ts';
import { fingerprintOf } from '../format/fingerprint.ts';
import {
  isLabelled,
  poolingsOf,
  setSchema,
  shardSchema,
  type FeatureSet,
  type FeatureSetDraft,
  type ShardEntry,
  type StoreDraft,
} from '../format/manifest.ts';
import { sealJson, unseal, unsealExactly } from '../format/sealed-json.ts';

/** Whether a name is one that permafrost gives to shards, seals, lists of samples, calibrations and changed layers. */
export const isStoreFile = (name: string): boolean => kindOf(name)?.isNamed === true;

/** Every name of a shard's files, its seal included. */
export const shardFileNames = (shard: ShardEntry): string[] => [
  ...Object.values(shard.files).map(({ name }) => name),
  sealName(shard),
];

/**
 * A shard's set, and its files with their digests: manifests are rebuilt from seals. Version 1 is that of shards with
 * DEFAULT_POOLINGS, as stores of version 1 have them; 3 that of shards without labels.
 */
const sealSchema = z.strictObject({
  format: z.literal('permafrost-shard'),
  version: z.literal([1, 2, 3]),
  set: setSchema.omit({ shards: true }),
  shard: shardSchema,
});

/** Characters of a cut's name in the names of files. */
const MOST_OF_CUT = 60;

/** A cut's name, or the end of it, in names of files: tensors of graphs may be called anything. */
const cutInNames = (cut: string): string => cut.slice(-MOST_OF_CUT).replace(/^\.|[^\w.-]+/g, '_');

/** The stem of a shard's file names: cut, fingerprint (which alone tells cuts apart), number. */
export function shardStem({ settings, fingerprint }: FeatureSet, number: number): string {
  return `${cutInNames(settings.cut)}-${fingerprint}-${String(number).padStart(5, '0')}`;
}

/** The name of a shard's seal: that of its files without the kind. */
export const sealName = (shard: ShardEntry): string => shard.files.rows.name.replace(/-rows\.arrow$/, '.json');

/** The number of a shard, from the names of its files; -1 where they have none. */
export const shardNumber = (shard: ShardEntry): number => Number(SEAL.exec(sealName(shard))?.[2] ?? -1);

/** Writes the seal of a shard whose files are in place. Throws STORE_WRITE. */
export async function writeSeal(store: string, set: FeatureSet, shard: ShardEntry): Promise<void> {
  const text = sealJson(sealDocument(set, shard));
  await writeFileAtomic(join(store, sealName(shard)), [new TextEncoder().encode(text)]);
}

function sealDocument(
  { fingerprint, settings, engine, widths, quantization, tuned }: FeatureSet,
  shard: ShardEntry,
): Record<string, unknown> {
  const set = { fingerprint, settings, engine, widths, ...(quantization && { quantization }), ...(tuned && { tuned }) };
  const labelled = poolingsOf(shard).join() === DEFAULT_POOLINGS.join() ? 1 : 2;
  const version = isLabelled(shard) ? labelled : 3;
  return { format: 'permafrost-shard', version, set, shard };
}

/** What is wrong with a shard's seal: undefined where it is there and says what the manifest says. */
export async function sealProblem(store: string, set: FeatureSet, shard: ShardEntry): Promise<string | undefined> {
  try {
    const found = unsealExactly(await readFile(join(store, sealName(shard)), 'utf8'));
    return canonicalJson(found) === canonicalJson(sealDocument(set, shard))
      ? undefined
      : 'says other things than the manifest';
  } catch (cause) {
    return reasonOf(cause);
  }
}

/** The set and the shard in the seal of this name. Throws a plain Error where it is not what was written. */
async function readSeal(store: string, name: string): Promise<z.infer<typeof sealSchema>> {
  const seal = sealSchema.parse(unseal(JSON.parse(await readFile(join(store, name), 'utf8'))));
  if (seal.set.fingerprint !== fingerprintOf(seal.set.settings) || sealName(seal.shard) !== name)
    throw new Error('it is the seal of another shard');
  return seal;
}

/** Whether all files of a shard are there in their lengths; their bytes are compared when they are read. */
async function isThere(store: string, { files }: ShardEntry): Promise<boolean> {
  const sizes = await Promise.all(
    Object.values(files).map(({ name }) =>
      stat(join(store, name)).then(
        ({ size }) => size,
        () => -1,
      ),
    ),
  );
  return Object.values(files).every(({ bytes }, i) => bytes === sizes[i]);
}

/**
 * Adds to a manifest in memory the shards that were sealed after it was written. A seal is written
 * last, so what it names is whole. Unreadable seals count for nothing here.
 */
export async function takeUpSealed({ path: store, manifest: { sets } }: StoreDraft): Promise<void> {
  const byFingerprint = new Map(
    sets.map((set) => [set.fingerprint, { set, after: Math.max(-1, ...set.shards.map(shardNumber)) }]),
  );
  const later = (await readdir(store))
    .flatMap((name) => {
      const [, fingerprint = '', digits] = SEAL.exec(name) ?? [];
      const known = byFingerprint.get(fingerprint);
      return known !== undefined && Number(digits) > known.after
        ? [{ name, set: known.set, number: Number(digits) }]
        : [];
    })
    .sort((a, b) => a.number - b.number);
  for (const { name, set } of later) {
    const seal = await readSeal(store, name).catch(() => undefined);
    if (seal?.set.fingerprint !== set.fingerprint || !(await isThere(store, seal.shard))) continue;
    set.shards.push(seal.shard);
  }
}

/** The sets that a store's seals describe, for a lost manifest; `damaged` are seals that cannot be read. */
export async function setsFromSeals(
  store: string,
): Promise<{ sets: FeatureSetDraft[]; damaged: { name: string; problem: string }[] }> {
  const names = (await readdir(store)).filter((name) => SEAL.test(name)).sort();
  const sets = new Map<string, FeatureSetDraft>();
  const damaged: { name: string; problem: string }[] = [];
  for (const name of names) {
    try {
      const { set, shard } = await readSeal(store, name);
      const found = sets.get(set.fingerprint) ?? { ...set, shards: [] };
      found.shards.push(shard);
      sets.set(set.fingerprint, found);
    } catch (cause) {
      damaged.push({ name, problem: reasonOf(cause) });
    }
  }
  return { sets: [...sets.values()], damaged };
}

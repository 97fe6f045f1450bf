import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { FILE_TIMES_NAME, fileTimesProblem } from '../format/file-times-file.ts';
import { checkIndexFile, indexFiles } from '../format/index-file.ts';
import { damagedAnswers } from '../format/answers/kept-answers.ts';
import { leftovers } from '../write/leftovers.ts';
import { SKETCHES_NAME, sketchesProblem } from '../format/sketches-file.ts';
import {
  MANIFEST_NAME,
  newManifest,
  restingOn,
  rowsOf,
  type FeatureSet,
  type ManifestDraft,
  type StoreDraft,
} from '../format/manifest.ts';
import { readManifest } from '../format/manifest-file.ts';
import { readVerified } from '../read/file.ts';
import { unsealExactly } from '../format/sealed-json.ts';
import { sealName, sealProblem, setsFromSeals, takeUpSealed } from '../write/shard-files.ts';

/** A file of a store that is not what was written; `rows` of features, those of its shard, are lost with it. */
export interface DamagedFileResult {
  readonly name: string;
  readonly problem: string;
  readonly rows: number;
}

/** Files that spare time and can be made again from the images: a damaged one is removed. */
const CACHES = [
  { name: FILE_TIMES_NAME, problemOf: fileTimesProblem },
  { name: SKETCHES_NAME, problemOf: sketchesProblem },
];

/** Whether a file of a store can be made again from the images. */
export const isCache = (name: string): boolean => CACHES.some((cache) => cache.name === name);

export interface StoreHealth {
  /** With its manifest, or what the seals describe where that is damaged. */
  readonly store: StoreDraft;
  readonly damaged: readonly DamagedFileResult[];
  /** Files that nothing refers to: left by a killed run. */
  readonly orphans: readonly string[];
  /** Files and bytes that were read. */
  readonly files: number;
  readonly bytes: number;
}

/**
 * A store with all that is sealed; with a damaged or missing manifest, one made from the seals, its data set empty.
 * Throws STORE_VERSION, and STORE_NOT_FOUND where there are no seals either.
 */
export async function openOrRebuild(
  path: string,
  permafrost: string,
): Promise<{ store: StoreDraft; damaged: DamagedFileResult[] }> {
  try {
    const store = { path, manifest: await readManifest(path) };
    await takeUpSealed(store);
    return { store, damaged: [] };
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code === 'STORE_VERSION') throw error;
    const { sets } = await setsFromSeals(path).catch(() => ({ sets: [] }));
    if (error.code === 'STORE_NOT_FOUND' && sets.length === 0) throw error;
    const store = { path, manifest: newManifest(permafrost, sets) };
    return { store, damaged: [{ name: MANIFEST_NAME, problem: error.message, rows: 0 }] };
  }
}

/** What is wrong with the bytes of a manifest that can be read; undefined where they are those that were written. */
const manifestProblem = (store: string): Promise<string | undefined> =>
  readFile(join(store, MANIFEST_NAME), 'utf8')
    .then(unsealExactly)
    .then(() => undefined, reasonOf);

/**
 * Compares every byte of a store with the digests taken when it was written; of its files only those of these names,
 * where they are given. Throws as openOrRebuild.
 */
export async function verifyStore(
  path: string,
  permafrost: string,
  onFile: (done: number, total: number) => void = () => undefined,
  names?: ReadonlySet<string>,
): Promise<StoreHealth> {
  const isWanted = (name: string): boolean => names?.has(name) !== false;
  const { store, damaged } = await openOrRebuild(path, permafrost);
  const { manifest } = store;
  if (damaged.length === 0) {
    const problem = await manifestProblem(path);
    if (problem !== undefined) damaged.push({ name: MANIFEST_NAME, problem, rows: 0 });
  }
  const shards = manifest.sets.flatMap((set) => set.shards.map((shard) => ({ set, shard })));
  const seals = shards.filter(({ shard }) => isWanted(sealName(shard)));
  const entries = [
    ...shards.flatMap(({ shard }) => Object.values(shard.files).map((entry) => ({ entry, rows: shard.rows }))),
    ...manifest.sets.flatMap((set) => restingOn(set).map((entry) => ({ entry, rows: rowsOf(set) }))),
    ...(manifest.dataset.samples === undefined ? [] : [{ entry: manifest.dataset.samples, rows: 0 }]),
  ].filter(({ entry }) => isWanted(entry.name));
  const made = CACHES.filter(({ name }) => isWanted(name) && existsSync(join(path, name)));
  const indices = (await indexFiles(path)).filter(({ name }) => isWanted(name));
  const total = entries.length + seals.length + indices.length + made.length + 1;
  let done = 1;
  let bytes = 0;
  for (const { entry, rows } of entries) {
    await readVerified(path, entry).catch((error: unknown) =>
      damaged.push({ name: entry.name, problem: reasonOf(error), rows }),
    );
    bytes += entry.bytes;
    onFile(++done, total);
  }
  for (const { set, shard } of seals) {
    const problem = await sealProblem(path, set, shard);
    if (problem !== undefined) damaged.push({ name: sealName(shard), problem, rows: 0 });
    onFile(++done, total);
  }
  for (const { name, problemOf } of made) {
    const problem = await problemOf(path);
    if (problem !== undefined) damaged.push({ name, problem: problem.message, rows: 0 });
    onFile(++done, total);
  }
  for (const entry of indices) {
    await checkIndexFile(path, entry).catch((error: unknown) =>
      damaged.push({ name: entry.name, problem: reasonOf(error), rows: 0 }),
    );
    bytes += entry.bytes;
    onFile(++done, total);
  }
  const answers = await damagedAnswers(path);
  damaged.push(...answers.damaged.map((file) => ({ ...file, rows: 0 })));
  bytes += answers.bytes;
  const orphans = (await leftovers(store)).filter((name) => damaged.every((file) => file.name !== name));
  return { store, damaged, orphans, files: total + answers.files, bytes };
}

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

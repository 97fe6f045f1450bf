import { join, resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import type { RepairResult } from '../../results/store-results.ts';
import { isRootThere } from '../../extract/source/place.ts';
import { answersParts } from '../../store/format/answers/kept-answers.ts';
import { indexParts } from '../../store/format/index-file.ts';
import { requireHeld } from '../../store/format/lock/held-locks.ts';
import { lockStore } from '../../store/write/lock.ts';
import { writeManifest } from '../../store/format/manifest-file.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import { tunedSets } from '../../store/read/tuned-sets.ts';
import { storeAt, type Store } from '../../store/open.ts';
import { removeFile } from '../../store/format/atomic-file.ts';
import { removeLeftovers } from '../../store/write/leftovers.ts';
import { shardFileNames, writeSeal } from '../../store/write/shard-files.ts';
import { damagedStudioFiles } from '../../store/format/studio-files.ts';
import { missingRows } from '../../store/care/missing-rows.ts';
import { isCache, verifyStore, withoutDamaged } from '../../store/care/verify.ts';
import { extractMissingOfNetworks, lostOthersAdvice, otherNetworks } from './repair-networks.ts';
import { extractMissingTuned, lostNetworksAdvice } from './repair-tuned.ts';
import { lockRequest } from '../take-over.ts';
import type { Work } from '../work.ts';
import { VERSION } from '../version.ts';
import { reportMigration } from '../store-version.ts';

/**
 * Takes out what is damaged; gives the manifest that is on disk then, the rows that were lost, and the networks that
 * it had features of before beside the primary one.
 */
async function dropDamaged(
  path: string,
  listener: Listener | undefined,
): Promise<{
  store: Store;
  damaged: RepairResult['damaged'];
  lost: number;
  tuned: readonly string[];
  others: readonly FeatureSet[];
}> {
  const { store, damaged, orphans } = await verifyStore(path, VERSION);
  const { manifest } = store;
  const before = { tuned: tunedSets(store).map(({ fingerprint }) => fingerprint), others: otherNetworks(manifest) };
  if (damaged.length === 0 && orphans.length === 0) return { store: storeAt(store), damaged, lost: 0, ...before };
  const from = manifest.version;
  const files = manifest.sets.flatMap((set) => set.shards.flatMap(shardFileNames));
  await requireHeld(path); // verifying takes long
  const lost = withoutDamaged(manifest, damaged);
  const after = new Set(manifest.sets.flatMap((set) => set.shards.flatMap(shardFileNames)));
  // The seal goes first: without it nobody takes up the shard again, also where the rest is not removed any more.
  for (const name of files) if (name.endsWith('.json') && !after.has(name)) await removeFile(join(path, name));
  for (const set of manifest.sets) for (const shard of set.shards) await writeSeal(path, set, shard);
  await writeManifest(store);
  reportMigration(from, manifest, listener);
  // What is remembered of the images has no other use than to spare reading them.
  const caches = damaged.map(({ name }) => name).filter(isCache);
  // An index is built again when it is next asked for.
  const indices = damaged.flatMap(({ name }) => indexParts(name));
  // So is a table of answers, with its head.
  const answers = damaged.flatMap(({ name }) => answersParts(name));
  for (const name of [...caches, ...indices, ...answers]) await removeFile(join(path, name));
  await removeLeftovers(store);
  return { store: storeAt(store), damaged, lost, ...before };
}

/** What is left to do about the studio's files, which cannot be made again; null where they are whole. */
async function studioAdvice(store: string): Promise<string | null> {
  const { damaged } = await damagedStudioFiles(store);
  if (damaged.length === 0) return null;
  const named = damaged.map(({ name, problem }) => `${name} (${problem})`).join('; ');
  return `What was taught or reviewed in the studio cannot be made again and was left as it is: ${named}. Restore it from a copy; without one, delete a damaged image in the studio's part Teach, or remove a damaged journal and begin anew.`;
}

/**
 * Drops what is damaged and extracts just that again; the studio's folder is checked only. What cannot be extracted
 * here and now is reported in `next`; the store is whole with fewer rows. Throws STORE_LOCKED and what verify throws.
 */
export async function repair(storePath: string, work: Work = {}): Promise<RepairResult> {
  const store = resolve(storePath);
  const lock = await lockStore(store, 'permafrost repair', lockRequest(work));
  try {
    const features = await repairFeatures(store, work);
    const next = [features.next, await studioAdvice(store)].filter((one) => one !== null);
    return { ...features, next: next.length === 0 ? null : next.join(' ') };
  } finally {
    await lock.release();
  }
}

/** The store but for the studio's folder. */
async function repairFeatures(path: string, work: Work): Promise<RepairResult> {
  const { store, damaged, lost, ...before } = await dropDamaged(path, work.listener);
  const lostSets = [lostNetworksAdvice(path, before.tuned, store), lostOthersAdvice(store, before.others)];
  const advice = lostSets.filter((one) => one !== null);
  const { manifest } = store;
  const { samples, root, sets } = manifest.dataset;
  const found = { store: path, damaged, lostRows: lost };
  // A repair that was killed has dropped what was damaged, and left it to this one to extract it again.
  const lacks = lost > 0 || (await missingRows(store)).length > 0;
  const hasSets = sets.every((one) => manifest.sets.some(({ fingerprint }) => fingerprint === one.fingerprint));
  if (samples === undefined || !hasSets || !isRootThere(root)) {
    const why =
      samples === undefined
        ? 'The list of the data set was lost'
        : hasSets
          ? `The data set is not at ${root}`
          : 'The calibration of the current features was lost, and they with it';
    const needed = damaged.length > 0 || samples === undefined || lacks;
    return {
      ...found,
      extracted: 0,
      next: needed
        ? `${why}: run "permafrost extract" with the data set and --store ${path}; whatever is intact is reused.`
        : null,
    };
  }
  if (!lacks) return { ...found, extracted: 0, next: advice.join(' ') || null };
  let tuned = 0;
  const problems: string[] = [];
  try {
    // First those: what the sets beside them lack of the images is extracted without them.
    tuned = await extractMissingTuned(store, work);
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code === 'INTERRUPTED') throw error;
    problems.push(`What was lost of tuned networks could not be extracted again: ${reasonOf(error)}`);
  }
  const networks = await extractMissingOfNetworks(store, work);
  const next = [...problems, ...networks.problems, ...advice].join(' ') || null;
  return { ...found, extracted: tuned + networks.extracted, next };
}

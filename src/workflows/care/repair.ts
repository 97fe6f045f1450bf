import { lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import type { DamagedFileResult, RepairResult } from '../../results/store-results.ts';
import { isRootThere } from '../../extract/source/place.ts';
import { answersParts } from '../../store/format/answers/kept-answers.ts';
import { kindOf } from '../../store/format/file-kinds.ts';
import { indexParts } from '../../store/format/index-file.ts';
import { requireHeld } from '../../store/format/lock/held-locks.ts';
import { lockStore } from '../../store/write/lock.ts';
import { renewCopy, writeManifest } from '../../store/format/manifest-file.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import { tunedSets } from '../../store/read/tuned-sets.ts';
import { storeAt, type Store } from '../../store/open.ts';
import { removeFile } from '../../store/format/atomic-file.ts';
import { removeSealed } from '../../store/format/seal-beside.ts';
import { removeLeftovers } from '../../store/write/leftovers.ts';
import { shardFileNames, writeSeal } from '../../store/write/shard-files.ts';
import { missingRows } from '../../store/care/missing-rows.ts';
import { renewFile } from './renew-file.ts';
import { verifyStore } from '../../store/care/verify.ts';
import { withoutDamaged } from '../../store/care/without-damaged.ts';
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
  damaged: readonly DamagedFileResult[];
  left: readonly DamagedFileResult[];
  lost: number;
  tuned: readonly string[];
  others: readonly FeatureSet[];
}> {
  const { store, damaged: found, orphans } = await verifyStore(path, VERSION);
  const { manifest } = store;
  const isLeft = ({ remedy }: DamagedFileResult): boolean => remedy === 'tell';
  const [damaged, left] = [found.filter((file) => !isLeft(file)), found.filter(isLeft)];
  const before = { tuned: tunedSets(store).map(({ fingerprint }) => fingerprint), others: otherNetworks(manifest) };
  if (damaged.length === 0 && orphans.length === 0) {
    await renewCopy(store);
    return { store: storeAt(store), damaged, left, lost: 0, ...before };
  }
  const from = manifest.version;
  const files = manifest.sets.flatMap((set) => set.shards.flatMap(shardFileNames));
  await requireHeld(path); // verifying takes long
  // A folder in the place of a file goes first, if it is empty: nothing could get its name.
  for (const { name } of damaged)
    if (lstatSync(join(path, name), { throwIfNoEntry: false })?.isDirectory()) await removeFile(join(path, name));
  const lost = withoutDamaged(manifest, damaged);
  const after = new Set(manifest.sets.flatMap((set) => set.shards.flatMap(shardFileNames)));
  // The seal goes first: without it nobody takes up the shard again, also where the rest is not removed any more.
  for (const name of files) if (name.endsWith('.json') && !after.has(name)) await removeFile(join(path, name));
  for (const set of manifest.sets) for (const shard of set.shards) await writeSeal(path, set, shard);
  await writeManifest(store);
  reportMigration(from, manifest, listener);
  for (const { name, remedy } of damaged) {
    // Whoever needs it next makes it again, with its other parts.
    if (remedy === 'remove')
      for (const part of [name, ...indexParts(name), ...answersParts(name)]) await removeSealed(join(path, part));
    if (remedy === 'renew') await renewFile(store, name);
  }
  await removeLeftovers(store);
  return { store: storeAt(store), damaged, left, lost, ...before };
}

/** What is left to do about files that were left as they are; null where there are none. */
function leftAdvice(left: readonly DamagedFileResult[]): string | null {
  if (left.length === 0) return null;
  const named = left.map(({ name, problem }) => `${name} (${problem}): ${kindOf(name)?.advice ?? 'restore it'}.`);
  return `Left as ${left.length === 1 ? 'it is' : 'they are'}: ${named.join(' ')}`;
}

/**
 * Drops what is damaged and extracts just that again; what a person or another command made stays as it is. What cannot be extracted
 * here and now is reported in `next`; the store is whole with fewer rows. Throws STORE_LOCKED and what verify throws.
 */
export async function repair(storePath: string, work: Work = {}): Promise<RepairResult> {
  const store = resolve(storePath);
  const lock = await lockStore(store, 'permafrost repair', lockRequest(work));
  try {
    const features = await repairFeatures(store, work);
    const next = [features.next, leftAdvice(features.left)].filter((one) => one !== null);
    return { ...features, next: next.length === 0 ? null : next.join(' ') };
  } finally {
    await lock.release();
  }
}

/** The store but for the studio's folder. */
async function repairFeatures(path: string, work: Work): Promise<RepairResult> {
  const { store, damaged, left, lost, ...before } = await dropDamaged(path, work.listener);
  const lostSets = [lostNetworksAdvice(path, before.tuned, store), lostOthersAdvice(store, before.others)];
  const advice = lostSets.filter((one) => one !== null);
  const { manifest } = store;
  const { samples, root, sets } = manifest.dataset;
  const found = { store: path, damaged, left, lostRows: lost };
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

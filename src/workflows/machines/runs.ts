import { readdir, rename, rmdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { PARTS_FOLDER } from '../../store/format/manifest.ts';
import { removeFolder, writeFileAtomic } from '../../store/format/atomic-file.ts';
import { PLAN_NAME, planFolder, readPlan, type PlanFolder } from './plan-file.ts';

const RUN = /^[0-9a-f]{16}$/;
/** A run that is being removed: its plan cannot be found any more, whatever a killed process left of it. */
const GOING = '.merged-';
/** In the folder of a run that was merged and kept. */
const MERGED_NAME = 'merged';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).then(
    (names) => names.sort(),
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
      throw error;
    },
  );
}

/** The runs whose plans lie in a store. */
export async function runsIn(store: string): Promise<string[]> {
  const folder = join(resolve(store), PARTS_FOLDER);
  const found: string[] = [];
  for (const run of await namesIn(folder))
    if (RUN.test(run) && (await namesIn(join(folder, run))).includes(PLAN_NAME)) found.push(run);
  return found;
}

/** Removes what a merge that was killed at its end has left of the units that it had merged. */
export async function removeLeavings(store: string): Promise<void> {
  const going = (await mergedRuns(store)).filter(({ name }) => basename(name).startsWith(GOING));
  if (going.length > 0) await removeMerged(store, going);
}

/** The plan of a store: that of `run`, or where that is empty the only one. Throws PLAN_NOT_FOUND, OPTION_INVALID. */
export async function findRun(store: string, run: string): Promise<PlanFolder> {
  const runs = await runsIn(store);
  const [only, ...others] = run === '' ? runs : runs.filter((name) => name === run);
  if (only === undefined)
    throw new PermafrostError(
      'PLAN_NOT_FOUND',
      run === '' || runs.length === 0
        ? `${store} has no plan for several machines. Make one with "permafrost plan DATASET --store ${store}"; a run that was merged has none any more.`
        : `${store} has no plan of the run ${run}. It has ${runs.join(', ')}.`,
    );
  if (others.length > 0)
    throw new PermafrostError(
      'OPTION_INVALID',
      `${store} has ${runs.length} plans: ${runs.join(', ')}. Name one with --run. Those that nobody needs can be removed as folders of ${join(store, PARTS_FOLDER)}.`,
    );
  return readPlan(planFolder(store, only));
}

/** Marks a run as merged, for `gc` to remove. Throws STORE_WRITE. */
export async function markMerged({ path }: PlanFolder): Promise<void> {
  await writeFileAtomic(join(path, MERGED_NAME), []);
}

/** Removes a run whole: first its name goes, so that it is never found by halves. Throws STORE_WRITE. */
export async function removeRun(store: string, run: string): Promise<void> {
  const folder = join(resolve(store), PARTS_FOLDER);
  const going = join(folder, `${GOING}${run}`);
  await removeFolder(going);
  await rename(join(folder, run), going).catch((cause: unknown) => {
    throw new PermafrostError(
      'STORE_WRITE',
      `${join(folder, run)} cannot be removed: ${reasonOf(cause)}. Give permission; "permafrost gc" removes what was merged.`,
      { cause },
    );
  });
  await removeFolder(going);
  await rmdir(folder).catch(() => undefined); // others may lie there
}

/** A folder of a store that nothing needs any more, relative to the store, and its files. */
export interface MergedRun {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
}

/** The runs of a store that were merged and kept, and what is left of a removal that was killed. */
export async function mergedRuns(store: string): Promise<MergedRun[]> {
  const folder = join(resolve(store), PARTS_FOLDER);
  const found: MergedRun[] = [];
  for (const name of await namesIn(folder)) {
    const isMerged = RUN.test(name) && (await namesIn(join(folder, name))).includes(MERGED_NAME);
    if (!isMerged && !name.startsWith(GOING)) continue;
    const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const sizes = await Promise.all(files.map((file) => stat(join(file.parentPath, file.name))));
    const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
    found.push({ name: join(PARTS_FOLDER, name), files: files.length, bytes });
  }
  return found;
}

/** Removes what `mergedRuns` found. Throws STORE_WRITE. */
export async function removeMerged(store: string, runs: readonly MergedRun[]): Promise<void> {
  for (const { name } of runs) await removeFolder(join(resolve(store), name));
  await rmdir(join(resolve(store), PARTS_FOLDER)).catch(() => undefined); // others may lie there
}

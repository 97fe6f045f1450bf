import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { reasonOf } from '../../core/errors.ts';
import { damagedAnswers } from '../format/answers/kept-answers.ts';
import { kindOf, type Remedy } from '../format/file-kinds.ts';
import { checkIndexFile, indexFiles } from '../format/index-file.ts';
import {
  MANIFEST_COPY_NAME,
  MANIFEST_NAME,
  restingOn,
  rowsOf,
  type FileEntry,
  type StoreDraft,
} from '../format/manifest.ts';
import { copyProblem } from '../format/manifest-file.ts';
import { sealedFile } from '../format/seal-beside.ts';
import { unsealExactly } from '../format/sealed-json.ts';
import { STUDIO_FOLDER, taughtImages } from '../format/studio-files.ts';
import { readVerified } from '../read/file.ts';
import { leftovers } from '../write/leftovers.ts';
import { isLocked } from '../write/lock.ts';
import { sealName, sealProblem } from '../write/shard-files.ts';
import { filesIn } from './files-in.ts';
import { filesOfPlan, ownProblem, unfinishedLine } from './proofs.ts';
import { openOrRebuild } from './rebuild.ts';

/** A file of a store that is not what was written; `rows` of features, those of its shard, are lost with it. */
export interface DamagedFileResult {
  readonly name: string;
  readonly problem: string;
  readonly rows: number;
  /** What `repair` does about it. */
  readonly remedy: Remedy;
}

/** What a killed process left at the end of a file that grows: nobody was told that it is kept. */
export interface UnfinishedFile {
  readonly name: string;
  readonly problem: string;
}

export interface StoreHealth {
  /** With its manifest, or what its copy or the seals say where that is damaged. */
  readonly store: StoreDraft;
  readonly damaged: readonly DamagedFileResult[];
  readonly unfinished: readonly UnfinishedFile[];
  /** Files that nothing refers to: left by a killed run. */
  readonly orphans: readonly string[];
  /** Files and bytes that were read. */
  readonly files: number;
  readonly bytes: number;
}

/** What is being found out about a store. */
interface Findings {
  readonly damaged: Map<string, DamagedFileResult>;
  readonly unfinished: UnfinishedFile[];
  files: number;
  bytes: number;
  /** A file was read; a problem with it counts unless there is one already. */
  add(name: string, problem: string | undefined, rows?: number): void;
}

function findings(): Findings {
  const damaged = new Map<string, DamagedFileResult>();
  return {
    damaged,
    unfinished: [],
    files: 0,
    bytes: 0,
    add(name, problem, rows = 0) {
      if (problem === undefined || damaged.has(name)) return;
      damaged.set(name, { name, problem, rows, remedy: kindOf(name)?.remedy ?? 'tell' });
    },
  };
}

/**
 * Compares every byte of a store with the digests taken when it was written (file-kinds.ts). `onFile` is called after
 * each file. Throws as openOrRebuild.
 */
export async function verifyStore(
  path: string,
  permafrost: string,
  onFile: (done: number, total: number) => void = () => undefined,
): Promise<StoreHealth> {
  const { store, problem } = await openOrRebuild(path, permafrost);
  const found = findings();
  const all = await filesIn(path);
  const entries = entriesOf(store);
  const total = all.filter(({ isFolder }) => !isFolder).length + entries.length;
  let done = 0;
  found.add(MANIFEST_NAME, problem ?? (await manifestProblem(path)));
  for (const { entry, rows } of entries) {
    found.add(entry.name, await readVerified(path, entry).then(() => undefined, reasonOf), rows);
    found.bytes += entry.bytes;
    onFile(++done, total);
  }
  for (const set of store.manifest.sets)
    for (const shard of set.shards) found.add(sealName(shard), await sealProblem(path, set, shard));
  await addCopy(path, found);
  await addSealed(path, found);
  const left = new Set(await leftovers(store));
  for (const { name, isFolder } of all) {
    const kind = kindOf(name);
    if (isFolder) {
      if (kind !== undefined && !isFolderOfKind(name)) found.add(name, 'it is a folder, and a file was written');
      continue;
    }
    if (kind !== undefined && kind.proof !== 'none') found.files++;
    // What a killed process did not finish is left over, not damaged.
    const own = left.has(name) && kind?.kind === 'taught image' ? undefined : await ownProblem(path, name);
    found.add(name, own);
    const unfinished = own === undefined ? await unfinishedLine(path, name) : undefined;
    if (unfinished !== undefined) found.unfinished.push({ name, problem: unfinished });
    if (kind?.proof !== 'manifest') found.bytes += await sizeOf(join(path, name));
    if (kind?.kind === 'plan of a run' && own === undefined) await addPlan(path, name, permafrost, found);
    onFile(++done, total);
  }
  await addGone(path, all, found);
  const orphans = [...left, ...sealsWithoutFiles(all, found)].filter((name) => !found.damaged.has(name)).sort();
  const { unfinished, files, bytes } = found;
  return { store, damaged: [...found.damaged.values()], unfinished, orphans, files, bytes };
}

/** What the manifest names with length and digest, and the rows that are lost with each. */
function entriesOf({ manifest }: StoreDraft): { readonly entry: FileEntry; readonly rows: number }[] {
  return [
    ...manifest.sets.flatMap(({ shards }) =>
      shards.flatMap(({ files, rows }) => Object.values(files).map((entry) => ({ entry, rows }))),
    ),
    ...manifest.sets.flatMap((set) => restingOn(set).map((entry) => ({ entry, rows: rowsOf(set) }))),
    ...(manifest.dataset.samples === undefined ? [] : [{ entry: manifest.dataset.samples, rows: 0 }]),
  ];
}

/** What is wrong with the bytes of a manifest that can be read; undefined where they are those that were written. */
const manifestProblem = (store: string): Promise<string | undefined> =>
  readFile(join(store, MANIFEST_NAME), 'utf8')
    .then(unsealExactly)
    .then(() => undefined, reasonOf);

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

/** Kinds whose names are those of folders too: what lies in them is the user's, or a plan's. */
const isFolderOfKind = (name: string): boolean => /^(taught|parts)([\\/]|$)/.test(name);

async function addCopy(path: string, found: Findings): Promise<void> {
  const { problem, isBehind } = await copyProblem(path);
  found.add(MANIFEST_COPY_NAME, problem);
  // Beside a damaged manifest it is what the repair goes by.
  if (isBehind && !found.damaged.has(MANIFEST_NAME))
    found.unfinished.push({
      name: MANIFEST_COPY_NAME,
      problem: 'the manifest before this one, which a killed process did not renew; the next writer does',
    });
}

/** Files that a seal of their kind speaks for: indices and tables of answers. */
async function addSealed(path: string, found: Findings): Promise<void> {
  for (const entry of await indexFiles(path))
    found.add(entry.name, await checkIndexFile(path, entry).then(() => undefined, reasonOf));
  for (const { name, problem } of (await damagedAnswers(path)).damaged) found.add(name, problem);
}

/** Files that must be there: images that are taught, and journals that have a seal. */
async function addGone(path: string, all: readonly { name: string }[], found: Findings): Promise<void> {
  const names = new Set(all.map(({ name }) => name));
  for (const { name } of all) {
    const file = sealedFile(name);
    if (file === undefined || kindOf(name)?.kind !== 'seal' || names.has(file)) continue;
    if (kindOf(file)?.kind === 'journal' || kindOf(file)?.kind === 'looks') found.add(file, 'it is gone');
  }
  // A studio at work may be about to write one.
  const journal = join(STUDIO_FOLDER, 'teach.jsonl');
  if (found.damaged.has(journal) || (await isLocked(join(path, STUDIO_FOLDER)))) return;
  for (const sha256 of await taughtImages(path).catch(() => [])) {
    const name = join(STUDIO_FOLDER, 'images', sha256);
    if (!names.has(name)) found.add(name, 'it is gone');
  }
}

/** Seals of files that are gone and that can be made again. */
const sealsWithoutFiles = (all: readonly { name: string }[], found: Findings): string[] => {
  const names = new Set(all.map(({ name }) => name));
  return all.flatMap(({ name }) => {
    const file = sealedFile(name);
    const isAlone = file !== undefined && kindOf(name)?.kind === 'seal' && !names.has(file);
    return isAlone && !found.damaged.has(file) ? [name] : [];
  });
};

/** A plan for several machines: what it names beside it, and its finished units, which are stores. */
async function addPlan(path: string, name: string, permafrost: string, found: Findings): Promise<void> {
  const folder = dirname(name);
  for (const entry of await filesOfPlan(join(path, name))) {
    const problem = await readVerified(join(path, folder), entry).then(() => undefined, reasonOf);
    found.add(join(folder, entry.name), problem);
  }
  const inPlan = await filesIn(join(path, folder));
  for (const { name: unit } of inPlan.filter(({ name: one, isFolder }) => isFolder && /^u-\d{5,}$/.test(one))) {
    const at = join(folder, unit);
    found.add(
      join(at, 'unit.json'),
      await readFile(join(path, at, 'unit.json'), 'utf8')
        .then(unsealExactly)
        .then(({ unit: number }) => (number === Number(unit.slice(2)) ? undefined : 'it is of another unit'), reasonOf),
    );
    const inside = await verifyStore(join(path, at), permafrost).catch((error: unknown) => {
      found.add(join(at, MANIFEST_NAME), reasonOf(error));
      return undefined;
    });
    for (const file of inside?.damaged ?? []) found.add(join(at, file.name), file.problem);
    for (const file of inside?.orphans ?? [])
      found.unfinished.push({ name: join(at, file), problem: 'a file that nothing in its unit refers to' });
  }
}

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { belowS3, isS3Address, parseS3Address, s3Root } from '../../../extract/source/s3/address.ts';
import { requireConditionalWrites } from '../../../extract/source/s3/conditional-writes.ts';
import { openS3, type S3Access } from '../../../extract/source/s3/s3-access.ts';
import { writeFileAtomic } from '../../../store/format/atomic-file.ts';
import { hasPlan, PLAN_NAME, readPlan, type Plan, type PlanFolder } from '../plan-file.ts';
import {
  beginUnit,
  isPublished,
  publishedUnits,
  unitsUnderWay,
  type UnitDraft,
  type UnitUnderWay,
} from '../unit-folder.ts';
import { beatsIn, startBeat } from './s3-beats.ts';
import { isThere, s3Units, type S3Units } from './s3-units.ts';

/** In the folder of a plan: the address where workers find it too. */
const SHARED_NAME = 'shared-at';

/** The files beside a plan that a worker needs. */
const filesOf = ({ lists, probe, sets, known }: Plan): string[] => [
  ...lists.files.map(({ name }) => name),
  probe.file.name,
  ...(known === undefined ? [] : [known.file.name]),
  ...new Set(sets.flatMap(({ quantization }) => quantization?.calibration.name ?? [])),
];

/**
 * Puts a plan into S3 too, below `at`, the plan itself last; where that is empty and it lies there already, what
 * changed of it. Gives its address, undefined where it is not shared. Throws STORE_WRITE where the storage does not
 * heed conditions (conditional-writes.ts), and what S3Access throws.
 */
export async function sharePlan({ path, plan }: PlanFolder, at: string): Promise<string | undefined> {
  const root = at === '' ? await sharedAt(path) : `${s3Root(at)}/${plan.run}`;
  if (root === undefined) return undefined;
  const s3 = await openS3();
  try {
    await requireConditionalWrites(s3, parseS3Address(root));
    for (const name of [...filesOf(plan), PLAN_NAME])
      await s3.write(parseS3Address(belowS3(root, name)), await readFile(join(path, name)));
  } finally {
    s3.close();
  }
  await writeFileAtomic(join(path, SHARED_NAME), [Buffer.from(`${root}\n`)]);
  return root;
}

/** The address where a plan of this machine is shared; undefined where it is not. */
export async function sharedAt(path: string): Promise<string | undefined> {
  return readFile(join(path, SHARED_NAME), 'utf8').then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
}

/** Runs `work` with the units that a shared plan has in S3. */
export async function withSharedUnits<T>(root: string, run: string, work: (units: S3Units) => Promise<T>): Promise<T> {
  const s3 = await openS3();
  try {
    return await work(s3Units(s3, root, run));
  } finally {
    s3.close();
  }
}

/** A plan that is worked on, and where its units are published. */
export interface OpenedPlan {
  /** On this machine: of a plan in S3 a temporary folder. */
  readonly folder: PlanFolder;
  /** What workers are given: a folder, or an address in S3. */
  readonly place: string;
  isPublished(unit: number): Promise<boolean>;
  published(): Promise<ReadonlySet<number>>;
  /** Units that are not published, ascending; none where the run was merged, and its plan is gone. */
  missing(): Promise<number[]>;
  /** Begins a unit, as `beginUnit`; published it is one of all machines. */
  begin(unit: number, prepare: (path: string) => Promise<void>): Promise<UnitDraft>;
  /** The units that are under way, or were when their workers died. */
  underWay(): Promise<UnitUnderWay[]>;
  close(): Promise<void>;
}

/** The units of a plan that are not in `published`. */
const missingIn = ({ units }: Plan, published: ReadonlySet<number>): number[] =>
  Array.from({ length: units.count }, (_, unit) => unit).filter((unit) => !published.has(unit));

function openInFolder(folder: PlanFolder): OpenedPlan {
  const { path, plan } = folder;
  return {
    folder,
    place: path,
    isPublished: (unit) => isPublished(path, unit),
    published: () => publishedUnits(path),
    async missing() {
      try {
        return missingIn(plan, await publishedUnits(path));
      } catch (error) {
        if (await hasPlan(path)) throw error;
        return [];
      }
    },
    begin: (unit, prepare) => beginUnit(path, unit, prepare),
    underWay: () => unitsUnderWay(path),
    close: () => Promise.resolve(),
  };
}

/** A plan at `root` in S3, whose files are in a folder of this machine too. */
function openAt(root: string, s3: S3Access, folder: PlanFolder, close: () => Promise<void>): OpenedPlan {
  const { path, plan } = folder;
  const units = s3Units(s3, root, plan.run);
  return {
    folder,
    place: root,
    isPublished: (unit) => units.isPublished(unit),
    published: () => units.published(),
    async missing() {
      const missing = missingIn(plan, await units.published());
      return missing.length === 0 || (await isThere(s3, belowS3(root, PLAN_NAME))) ? missing : [];
    },
    async begin(unit, prepare) {
      const draft = await beginUnit(path, unit, prepare);
      const beat = startBeat(s3, root, unit);
      return {
        path: draft.path,
        advance(done, of) {
          draft.advance(done, of);
          beat.advance(done, of);
        },
        async publish() {
          // In this folder nobody else is: it becomes the unit here, and then of all.
          await draft.publish();
          return units.publish(path, unit).finally(() => beat.end());
        },
        drop: () => draft.drop().finally(() => beat.end()),
      };
    },
    underWay: () => beatsIn(s3, root),
    close,
  };
}

/**
 * Opens the plan in a folder or at an address of S3, with the files beside it. Throws PLAN_NOT_FOUND, STORE_CORRUPT,
 * STORE_VERSION, and what S3Access throws.
 */
export async function openPlan(where: string): Promise<OpenedPlan> {
  if (!isS3Address(where)) return openInFolder(await readPlan(where));
  const root = s3Root(where.replace(/\/plan\.json$/, ''));
  const s3 = await openS3();
  const path = await mkdtemp(join(tmpdir(), 'permafrost-plan-'));
  const close = async (): Promise<void> => {
    s3.close();
    await rm(path, { recursive: true, force: true });
  };
  try {
    return openAt(root, s3, await fetchPlan(s3, root, path), close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens a plan of a store on this machine: its units are published where it was shared, else in its folder. */
export async function openOwnPlan(folder: PlanFolder): Promise<OpenedPlan> {
  const at = await sharedAt(folder.path);
  if (at === undefined) return openInFolder(folder);
  const s3 = await openS3();
  return openAt(at, s3, folder, () => Promise.resolve(s3.close()));
}

/** Brings a plan and the files beside it into a folder; their digests are checked where they are read. */
async function fetchPlan(s3: S3Access, root: string, path: string): Promise<PlanFolder> {
  const fetch = async (name: string): Promise<void> => {
    const bytes = await s3.read(parseS3Address(belowS3(root, name)), { isLarge: true }).catch((cause: unknown) => {
      if (!(cause instanceof PermafrostError) || cause.code !== 'IMAGE_UNREADABLE') throw cause;
      throw new PermafrostError(
        'PLAN_NOT_FOUND',
        `There is no plan at ${root}: ${reasonOf(cause)} Give the address that "permafrost plan" named.`,
        { cause },
      );
    });
    await writeFileAtomic(join(path, name), [bytes]);
  };
  await fetch(PLAN_NAME);
  const folder = await readPlan(path);
  for (const name of filesOf(folder.plan)) await fetch(name);
  return folder;
}

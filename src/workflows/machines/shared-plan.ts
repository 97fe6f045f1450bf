import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { belowS3, isS3Address, parseS3Address, s3Root } from '../../extract/source/s3/address.ts';
import { requireConditionalWrites } from '../../extract/source/s3/conditional-writes.ts';
import { openS3, type S3Access } from '../../extract/source/s3/s3-access.ts';
import { writeFileAtomic } from '../../store/format/atomic-file.ts';
import { PLAN_NAME, readPlan, type Plan, type PlanFolder } from './plan-file.ts';
import { s3Units, type S3Units } from './s3-units.ts';
import { isPublished, publishedUnits, type UnitDraft } from './unit-folder.ts';

/** In the folder of a plan: the address where workers find it too. */
const SHARED_NAME = 'shared-at';

/** The files beside a plan that a worker needs. */
const filesOf = ({ lists, probe, sets }: Plan): string[] => [
  ...lists.files.map(({ name }) => name),
  probe.file.name,
  ...new Set(sets.flatMap(({ quantization }) => quantization?.calibration.name ?? [])),
];

/**
 * Puts a plan into S3 too, below `at`, the plan itself last; gives its address. Throws STORE_WRITE where the storage
 * does not heed conditions (conditional-writes.ts), and what S3Access throws.
 */
export async function sharePlan({ path, plan }: PlanFolder, at: string): Promise<string> {
  const root = `${s3Root(at)}/${plan.run}`;
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
  /** What messages call it. */
  readonly place: string;
  isPublished(unit: number): Promise<boolean>;
  published(): Promise<ReadonlySet<number>>;
  /** Publishes a draft in `folder`; false where another was first. The draft is gone then. */
  publish(draft: UnitDraft, unit: number): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens the plan in a folder or at an address of S3, with the files beside it. Throws PLAN_NOT_FOUND, STORE_CORRUPT,
 * STORE_VERSION, and what S3Access throws.
 */
export async function openPlan(where: string): Promise<OpenedPlan> {
  if (isS3Address(where)) return openInS3(s3Root(where.replace(/\/plan\.json$/, '')));
  const folder = await readPlan(where);
  const { path } = folder;
  return {
    folder,
    place: path,
    isPublished: (unit) => isPublished(path, unit),
    published: () => publishedUnits(path),
    publish: (draft) => draft.publish(),
    close: () => Promise.resolve(),
  };
}

async function openInS3(root: string): Promise<OpenedPlan> {
  const s3 = await openS3();
  const path = await mkdtemp(join(tmpdir(), 'permafrost-plan-'));
  const close = async (): Promise<void> => {
    s3.close();
    await rm(path, { recursive: true, force: true });
  };
  try {
    const folder = await fetchPlan(s3, root, path);
    const units = s3Units(s3, root, folder.plan.run);
    return {
      folder,
      place: root,
      isPublished: (unit) => units.isPublished(unit),
      published: () => units.published(),
      async publish(draft, unit) {
        // Here nobody else is: it becomes the unit of this folder, and then of all.
        await draft.publish();
        return units.publish(path, unit);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
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

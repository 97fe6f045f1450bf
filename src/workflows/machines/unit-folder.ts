import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { syncFolder } from '../../store/format/atomic-file.ts';
import { fileSystemTime } from '../../store/format/temporary-files.ts';

/** How far a unit under way is: a file of its folder that is written again and again, and is no part of the unit. */
const PROGRESS_NAME = 'progress.json';
const BEAT_MS = 3000;
/** A unit whose worker has not written for so long is taken to be dead. */
export const SILENT_MS = 60_000;
/** What a dead worker left of a unit is removed by the next one that begins it, after so long. */
export const ABANDONED_MS = 600_000;

const PUBLISHED = /^u-(\d{5,})$/;
const UNDER_WAY = /^\.u-(\d{5,})\.(.*)\.[0-9a-f]{8}-[0-9a-f-]{27}$/;

const progressSchema = z.object({
  host: z.string(),
  pid: z.number().int(),
  /** Images that are done, over all passes, of how many; and the seconds since the unit was begun. */
  done: z.number(),
  of: z.number(),
  seconds: z.number(),
});
/** What a worker tells of a unit under way. */
type Progress = Pick<z.infer<typeof progressSchema>, 'done' | 'of' | 'seconds'>;

/** What a worker tells of a unit, as text. */
export const progressText = (progress: Progress): string =>
  JSON.stringify({ host: hostname(), pid: process.pid, ...progress });

/** What a worker has told; undefined where it is not whole: what was just being written may be half there. */
export function progressOf(text: string): Progress | undefined {
  try {
    return progressSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The name of a finished unit. */
export const unitName = (unit: number): string => `u-${String(unit).padStart(5, '0')}`;

/** The folder of a finished unit, in that of its plan. */
export const unitFolder = (folder: string, unit: number): string => join(folder, unitName(unit));

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );

/** Whether a unit is finished, whoever made it: its folder is there whole or not at all. */
export const isPublished = (folder: string, unit: number): Promise<boolean> => isThere(unitFolder(folder, unit));

/** The numbers of the finished units of a plan. */
export async function publishedUnits(folder: string): Promise<ReadonlySet<number>> {
  const numbers = (await readdir(folder)).map((name) => PUBLISHED.exec(name)?.[1]);
  return new Set(numbers.filter((digits) => digits !== undefined).map(Number));
}

/** A unit that a worker has begun. */
export interface UnitUnderWay {
  readonly unit: number;
  readonly host: string;
  /** Undefined where it does not say yet, or nobody could read it. */
  readonly progress: Progress | undefined;
  /** Milliseconds since its worker last wrote. */
  readonly silentMs: number;
  readonly path: string;
}

/** The units that are under way, or were when their workers died. */
export async function unitsUnderWay(folder: string): Promise<UnitUnderWay[]> {
  const found: UnitUnderWay[] = [];
  const now = await fileSystemTime(folder);
  for (const name of (await readdir(folder)).sort()) {
    const [, digits, host = ''] = UNDER_WAY.exec(name) ?? [];
    if (digits === undefined) continue;
    const path = join(folder, name);
    const file = join(path, PROGRESS_NAME);
    const beat = await stat(file).catch(() => stat(path).catch(() => undefined));
    if (beat === undefined) continue; // Published or removed meanwhile.
    const progress = await readFile(file, 'utf8').then(progressOf, () => undefined);
    found.push({ unit: Number(digits), host, progress, silentMs: Math.max(0, now - beat.mtimeMs), path });
  }
  return found;
}

/** A host's name as it may stand in the name of a folder. */
export const hostInName = (): string =>
  hostname()
    .replaceAll(/[^\w-]/g, '-')
    .slice(0, 64);

/** The folder of a unit under way, which becomes that of the unit in one step. */
export interface UnitDraft {
  readonly path: string;
  /** Tells whoever asks for the state how far it is. */
  advance(done: number, of: number): void;
  /** Makes it the unit; false where another was first, and this one is dropped. Throws STORE_WRITE. */
  publish(): Promise<boolean>;
  /** Removes it. */
  drop(): Promise<void>;
}

/**
 * Begins a unit: a folder of its own, which `prepare` makes ready and which then tells every few seconds that its
 * worker lives. Throws STORE_WRITE, and what `prepare` throws.
 */
export async function beginUnit(
  folder: string,
  unit: number,
  prepare: (path: string) => Promise<void>,
): Promise<UnitDraft> {
  const target = unitFolder(folder, unit);
  const path = join(folder, `.${unitName(unit)}.${hostInName()}.${randomUUID()}`);
  const started = performance.now();
  let [done, of] = [0, 0];
  const failed = (cause: unknown): PermafrostError =>
    new PermafrostError(
      'STORE_WRITE',
      `${path} could not be written: ${reasonOf(cause)}. Make room or give permission, then run the same command again: finished units are kept.`,
      { cause },
    );

  async function tell(): Promise<void> {
    const seconds = Math.round(performance.now() - started) / 1000;
    await writeFile(join(path, PROGRESS_NAME), progressText({ done, of, seconds }));
  }
  try {
    for (const one of await unitsUnderWay(folder))
      if (one.unit === unit && one.silentMs > ABANDONED_MS) await rm(one.path, { recursive: true, force: true });
    await mkdir(path);
  } catch (cause) {
    throw failed(cause);
  }
  try {
    await prepare(path);
    await tell();
  } catch (cause) {
    await rm(path, { recursive: true, force: true });
    throw cause instanceof PermafrostError ? cause : failed(cause);
  }
  let telling: Promise<void> = Promise.resolve();
  // That a beat could not be written costs nothing but that it looks silent.
  const beat = setInterval(() => void (telling = tell().catch(() => undefined)), BEAT_MS);
  beat.unref();
  const stop = async (): Promise<void> => {
    clearInterval(beat);
    await telling;
  };
  return {
    path,
    advance(nowDone, nowOf) {
      [done, of] = [nowDone, nowOf];
    },
    async publish() {
      await stop();
      try {
        await rm(join(path, PROGRESS_NAME), { force: true });
        await syncFolder(path);
        await rename(path, target);
        await syncFolder(folder);
        return true;
      } catch (cause) {
        if (!(await isThere(target))) throw failed(cause);
        await rm(path, { recursive: true, force: true });
        return false;
      }
    },
    async drop() {
      await stop();
      await rm(path, { recursive: true, force: true });
    },
  };
}

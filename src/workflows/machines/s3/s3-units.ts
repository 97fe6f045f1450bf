import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { sha256Hex } from '../../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { belowS3, parseS3Address } from '../../../extract/source/s3/address.ts';
import type { S3Access } from '../../../extract/source/s3/s3-access.ts';
import { writeFileAtomic } from '../../../store/format/atomic-file.ts';
import { sealJson, unsealExactly } from '../../../store/format/sealed-json.ts';
import { beginUnit, unitFolder, unitName } from '../unit-folder.ts';

const FORMAT = 'permafrost-unit-seal';
const VERSION = 1;
const SEAL = /^u-(\d{5,})\.json$/;

/** What makes objects a unit: written last, and only if there is none. */
const sealSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  run: z.string(),
  unit: z.number().int().nonnegative(),
  /** The folder of the unit's files, beside others that lost the race. */
  folder: z.uuid(),
  files: z.array(z.strictObject({ name: z.string(), bytes: z.number().int(), sha256: z.string() })),
});

/**
 * The finished units of a run in S3: files below `u-00017/<uuid>/`, and the seal `u-00017.json` that names them. Throws
 * DATASET_UNREACHABLE, STORE_WRITE, STORE_CORRUPT.
 */
export interface S3Units {
  isPublished(unit: number): Promise<boolean>;
  published(): Promise<ReadonlySet<number>>;
  /** Publishes the finished unit in a folder of this machine, which is removed; false where another was first. */
  publish(folder: string, unit: number): Promise<boolean>;
  /** Brings a unit into a folder of this machine, under its name there; nothing is done where it is there. */
  fetch(unit: number, folder: string): Promise<void>;
  /** One file of a unit. */
  read(unit: number, name: string): Promise<Buffer>;
}

/** Whether an error says that an object is not there, or not for us. */
const isOfObject = (error: unknown): boolean => error instanceof PermafrostError && error.code === 'IMAGE_UNREADABLE';

/** Whether there is an object at an address. */
export const isThere = (s3: S3Access, address: string): Promise<boolean> =>
  s3.facts(parseS3Address(address)).then(
    () => true,
    (error: unknown) => {
      if (isOfObject(error)) return false;
      throw error;
    },
  );

export function s3Units(s3: S3Access, root: string, run: string): S3Units {
  const at = (name: string) => parseS3Address(belowS3(root, name));
  const sealAt = (unit: number) => at(`${unitName(unit)}.json`);

  async function sealOf(unit: number): Promise<z.infer<typeof sealSchema>> {
    const text = (await s3.read(sealAt(unit))).toString();
    try {
      const seal = sealSchema.parse(unsealExactly(text));
      if (seal.run !== run || seal.unit !== unit) throw new Error(`it is of unit ${seal.unit} of the run ${seal.run}`);
      return seal;
    } catch (cause) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${belowS3(root, `${unitName(unit)}.json`)} is not what was written: ${reasonOf(cause)}. Remove it, and extract that unit again.`,
        { cause },
      );
    }
  }

  async function fileOf(unit: number, folder: string, file: { name: string; sha256: string }): Promise<Buffer> {
    const name = `${unitName(unit)}/${folder}/${file.name}`;
    const bytes = await s3.read(at(name), { isLarge: true }).catch((error: unknown) => {
      if (isOfObject(error)) return undefined; // it is gone, as a changed one is
      throw error;
    });
    if (bytes !== undefined && sha256Hex(bytes) === file.sha256) return bytes;
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${belowS3(root, name)} is not what was written. Remove ${unitName(unit)}.json beside it, and extract that unit again.`,
    );
  }

  return {
    isPublished: (unit) => isThere(s3, belowS3(root, `${unitName(unit)}.json`)),
    async published() {
      const prefix = at('u-');
      const from = prefix.key.length - 'u-'.length;
      const found = new Set<number>();
      for await (const page of s3.list(prefix))
        for (const { key } of page) {
          const [, digits] = SEAL.exec(key.slice(from)) ?? [];
          if (digits !== undefined) found.add(Number(digits));
        }
      return found;
    },
    async publish(parent, unit) {
      const path = unitFolder(parent, unit);
      const folder = randomUUID();
      const files: { name: string; bytes: number; sha256: string }[] = [];
      const drop = async (): Promise<void> => {
        for (const { name } of files) await s3.remove(at(`${unitName(unit)}/${folder}/${name}`));
      };
      try {
        for (const name of (await readdir(path)).sort()) {
          const bytes = await readFile(join(path, name));
          files.push({ name, bytes: bytes.length, sha256: sha256Hex(bytes) });
          await s3.write(at(`${unitName(unit)}/${folder}/${name}`), bytes);
        }
        const seal = sealJson({ format: FORMAT, version: VERSION, run, unit, folder, files });
        // A seal that is there may be this one, of a request whose answer was lost.
        const isFirst =
          (await s3.write(sealAt(unit), Buffer.from(seal), { ifAbsent: true })) ||
          (await s3.read(sealAt(unit))).toString() === seal;
        if (!isFirst) await drop();
        return isFirst;
      } finally {
        await rm(path, { recursive: true, force: true });
      }
    },
    async fetch(unit, parent) {
      const { folder, files } = await sealOf(unit);
      const draft = await beginUnit(parent, unit, async (path) => {
        for (const file of files) await writeFileAtomic(join(path, file.name), [await fileOf(unit, folder, file)]);
      });
      await draft.publish();
    },
    async read(unit, name) {
      const { folder, files } = await sealOf(unit);
      const file = files.find((one) => one.name === name);
      if (file !== undefined) return fileOf(unit, folder, file);
      throw new PermafrostError('STORE_CORRUPT', `${belowS3(root, unitName(unit))} has no ${name}.`);
    },
  };
}

import { join } from 'node:path';
import * as z from 'zod';
import { calibrationDigest, type Int8Calibration } from '../../core/calibration.ts';
import { PermafrostError } from '../../core/errors.ts';
import { writeFileAtomic } from '../format/atomic-file.ts';
import type { FileEntry } from '../format/manifest.ts';
import { storeFiles } from './file.ts';

const range = z.strictObject({ min: z.number(), max: z.number() });

/** A calibration as JSON, in stores and in head files. */
export const calibrationSchema = z.strictObject({
  method: z.string(),
  images: z.array(z.string().regex(/^[0-9a-f]{64}$/)).readonly(),
  ranges: z.record(z.string(), range),
  means: z.record(z.string(), z.array(z.number()).readonly()).optional(),
});

/** Keeps a calibration in the store, under a name made of its digest. Throws STORE_WRITE. */
export async function writeCalibration(store: string, calibration: Int8Calibration): Promise<FileEntry> {
  const name = `calibration-${calibrationDigest(calibration).slice(0, 16)}.json`;
  const text = `${JSON.stringify(calibration, null, 1)}\n`;
  return { name, ...(await writeFileAtomic(join(store, name), [new TextEncoder().encode(text)])) };
}

/** Reads a calibration back. Throws STORE_CORRUPT where it is missing or is not the one whose digest is `expected`. */
export async function readCalibration(
  store: string,
  entry: FileEntry,
  expected: string | undefined,
): Promise<Int8Calibration> {
  const bytes = await storeFiles(store).read(entry);
  const calibration = calibrationSchema.parse(JSON.parse(bytes.toString('utf8')));
  if (calibrationDigest(calibration) !== expected) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${join(store, entry.name)} is another calibration than the features of its set were made with. Extract into a new store.`,
    );
  }
  return calibration;
}

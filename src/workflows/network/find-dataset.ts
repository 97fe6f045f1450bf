import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { archivePlace } from '../../extract/archives/archive-place.ts';
import { scanDataset, type Dataset } from '../../extract/dataset/dataset.ts';
import { isListName } from '../../extract/dataset/dataset-manifest.ts';
import { isOfStorage } from '../../extract/source/image-source.ts';
import { withSource } from '../../extract/source/open.ts';
import { isS3Address } from '../../extract/source/s3/address.ts';
import { MANIFEST_NAME } from '../../store/format/manifest.ts';
import { readManifest } from '../../store/format/manifest-file.ts';

/** Refuses a store where a data set is to be: its files are features, not images. */
async function requireNoStore(where: string): Promise<void> {
  if (isS3Address(where) || !existsSync(join(where, MANIFEST_NAME))) return;
  // Another program's manifest.json may lie beside class folders.
  const root = await readManifest(where).then(
    ({ dataset }) => dataset.root,
    () => undefined,
  );
  if (root === undefined) return;
  const from = root === '' ? 'the folder of its images' : root;
  throw new PermafrostError(
    'DATASET_LAYOUT',
    `${where} is a store of features, not a data set of images. To use it: permafrost train ${where} (or sweep, report, studio, inspect). To extract again, give ${from}.`,
  );
}

/** Objects of a list that are asked for. */
const ASKED = 64;

/** Refuses a list of objects in S3, or of images in archives, of which none of some is there. */
async function requireSomeOfAsked(where: string, dataset: Dataset): Promise<void> {
  const { root, samples } = dataset;
  const count = Math.min(ASKED, samples.length);
  const asked = Array.from({ length: count }, (_, i) => samples[Math.floor((i * samples.length) / count)]!.path);
  let reason = '';
  const isThere = await withSource({ root }, async (source) => {
    for (const path of asked) {
      try {
        await source.stamp(path);
        return true;
      } catch (error) {
        if (isOfStorage(error)) throw error;
        reason ||= reasonOf(error);
      }
    }
    return false;
  });
  if (isThere) return;
  throw new PermafrostError(
    'DATASET_NOT_FOUND',
    `None of ${count} images that were asked for, of ${samples.length} in ${where}, is there. The first: ${reason} Paths are relative to the folder of the list, or whole as s3://bucket/key.`,
  );
}

/** Refuses a list of which no image is there: its paths are then relative to another folder, or of another machine. */
async function requireSomeImage(where: string, dataset: Dataset): Promise<void> {
  const { root, samples } = dataset;
  if (isS3Address(root)) return requireSomeOfAsked(where, dataset);
  if (samples.some(({ path }) => existsSync(resolve(root, path)))) return;
  const inArchives = samples.filter(({ path }) => archivePlace(root, 'folder', path) !== undefined);
  if (inArchives.length > 0) return requireSomeOfAsked(where, { ...dataset, samples: inArchives });
  throw new PermafrostError(
    'DATASET_NOT_FOUND',
    `None of the ${samples.length} images that ${where} names is there; the first was looked for at ${resolve(root, samples[0]!.path)}. Paths are relative to the folder of the list, and written with slashes and the extension.`,
  );
}

/** The data set at `where` as scanDataset finds it. Throws what that throws; a store is DATASET_LAYOUT. */
export async function findDataset(where: string): Promise<Dataset> {
  await requireNoStore(where);
  const dataset = await scanDataset(where);
  if (isListName(where)) await requireSomeImage(where, dataset);
  return dataset;
}

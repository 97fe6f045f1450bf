import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { scanDataset, type Dataset } from '../../extract/dataset/dataset.ts';
import { isListName } from '../../extract/dataset/dataset-manifest.ts';
import { MANIFEST_NAME } from '../../store/format/manifest.ts';
import { readManifest } from '../../store/format/manifest-file.ts';

/** Refuses a store where a data set is to be: its files are features, not images. */
async function requireNoStore(where: string): Promise<void> {
  if (!existsSync(join(where, MANIFEST_NAME))) return;
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

/** Refuses a list of which no image is there: its paths are then relative to another folder, or of another machine. */
function requireSomeImage(where: string, { root, samples }: Dataset): void {
  if (samples.some(({ path }) => existsSync(resolve(root, path)))) return;
  throw new PermafrostError(
    'DATASET_NOT_FOUND',
    `None of the ${samples.length} images that ${where} names is there; the first was looked for at ${resolve(root, samples[0]!.path)}. Paths are relative to the folder of the list, and written with slashes and the extension.`,
  );
}

/** The data set at `where` as scanDataset finds it. Throws what that throws; a store is DATASET_LAYOUT. */
export async function findDataset(where: string): Promise<Dataset> {
  await requireNoStore(where);
  const dataset = await scanDataset(where);
  if (isListName(where)) requireSomeImage(where, dataset);
  return dataset;
}

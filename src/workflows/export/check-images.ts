import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Sample, Split } from '../../core/sample.ts';
import { openStore, type Store } from '../../store/open.ts';
import { openDataset } from '../network/dataset.ts';
import type { OpenedHead } from '../train/files/head-files.ts';
import { storeOfHead } from '../train/labelled-store.ts';
import { validationSplit } from '../train/validation-split.ts';

/** Images that a file is checked on. */
export interface CheckImages {
  /** The store or data set. */
  readonly on: string;
  /** What sample paths are relative to. */
  readonly root: string;
  /** Null: all of a data set. */
  readonly split: Split | null;
  readonly samples: readonly Sample[];
}

/** Throws OPTION_INVALID, with what can be done. */
function nothingToCheck(found: string, cause?: unknown): never {
  throw new PermafrostError(
    'OPTION_INVALID',
    `The file cannot be checked on validated images: ${found}. Give images to check it on with --check DATASET, or write it unchecked with --unchecked.`,
    { cause },
  );
}

async function samplesOf(store: Store, split: Split): Promise<CheckImages> {
  const samples: Sample[] = [];
  for (const sample of await store.samples()) if (sample.split === split) samples.push(sample);
  return { on: store.path, root: store.manifest.dataset.root, split, samples };
}

/** The validated images of the store that the head was trained on. */
async function ofStore({ store: path, document }: OpenedHead): Promise<CheckImages> {
  const store = await openStore(path).catch((error: unknown) => {
    if (!(error instanceof PermafrostError)) throw error;
    return nothingToCheck(reasonOf(error).replace(/\.$/, ''), error);
  });
  const own = await storeOfHead(store, document);
  return samplesOf(own, await validationSplit(own));
}

/** The images of the store that the head was trained on. Throws STORE_NOT_FOUND and what reading it throws. */
export const trainImages = async ({ store, document }: OpenedHead): Promise<CheckImages> =>
  samplesOf(await storeOfHead(await openStore(store), document), 'train');

/**
 * The images to check on: those of `check`, a data set, where one is named, else the validated images of the head's
 * store; of more than `most`, 0 being all, some at equal distances. Throws OPTION_INVALID where there are none.
 */
export async function checkImages(opened: OpenedHead, check: string, most: number): Promise<CheckImages> {
  const found = check === '' ? await ofStore(opened) : { on: check, split: null, ...(await openDataset(check)) };
  const { samples } = found;
  if (samples.length === 0) nothingToCheck(`${found.on} holds no image`);
  if (most === 0 || samples.length <= most) return found;
  const some = Array.from({ length: most }, (_, i) => samples[Math.floor((i * samples.length) / most)]!);
  return { ...found, samples: some };
}

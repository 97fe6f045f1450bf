import { PermafrostError } from '../../core/errors.ts';
import { present } from '../../results/report-data.ts';
import { openStore } from '../../store/open.ts';
import type { HeadDocument } from '../../store/read/heads/head-file.ts';
import type { StoredRows } from '../../store/read/rows.ts';
import { storedViews } from '../../store/read/stored-networks.ts';
import { storedPartsOfHead } from './head-parts.ts';
import { storeOfHead } from './labelled-store.ts';

/**
 * The training rows that a head left in the store at `path`, under its labels; undefined where it holds all. Throws
 * FINGERPRINT_MISMATCH where the store now holds others, STORE_NOT_FOUND, STORE_CORRUPT.
 */
export async function trainingRows(
  file: string,
  path: string,
  document: HeadDocument,
): Promise<StoredRows | undefined> {
  const { rows: digest, views = 0 } = document.trained;
  if (digest === undefined) return undefined;
  const store = await openStore(path);
  const own = await storeOfHead(store, document);
  const stored = storedPartsOfHead(own, document);
  let found = 'other training images';
  if (present(stored)) {
    const there = storedViews(
      own,
      stored.parts.map(({ cut }) => cut),
    );
    if (there >= views) {
      const rows = await own.rows({ parts: stored.parts, splits: ['train'], views, memory: 'blocks' });
      if (rows.digest === digest) return rows;
    } else found = `${there} views of each image, not ${views}`;
  } else found = `features of other settings (${stored.missing})`;
  throw new PermafrostError(
    'FINGERPRINT_MISMATCH',
    `${file} left its training rows in ${path}, which now holds ${found}. Train the head again, or extract the images that it was trained on.`,
  );
}

import { PermafrostError } from '../core/errors.ts';
import { present } from '../core/report-data.ts';
import { streamFeatures, type FeatureStream } from '../store/feature-stream.ts';
import type { HeadDocument } from '../store/head-file.ts';
import { readManifest } from '../store/manifest.ts';
import { storedPartsOfHead } from './head-parts.ts';
import { samplesOfHead } from './labelled-samples.ts';

/**
 * The training rows that a head left in its store, under the labels that it was trained on; undefined for a head that holds all it needs. Throws FINGERPRINT_MISMATCH where the store
 * now holds others, STORE_NOT_FOUND, STORE_CORRUPT.
 */
export async function trainingRows(
  file: string,
  store: string,
  document: HeadDocument,
): Promise<FeatureStream | undefined> {
  const digest = document.trained.rows;
  if (digest === undefined) return undefined;
  const manifest = await readManifest(store);
  const stored = storedPartsOfHead(store, manifest, document);
  let found = 'other training images';
  if (present(stored)) {
    const rows = await streamFeatures(
      store,
      manifest,
      stored.parts[0]!,
      ['train'],
      await samplesOfHead(store, manifest, document),
    );
    if (rows.digest === digest) return rows;
  } else found = `features of other settings (${stored.missing})`;
  throw new PermafrostError(
    'FINGERPRINT_MISMATCH',
    `${file} left its training rows in ${store}, which now holds ${found}. Train the head again, or extract the images that it was trained on.`,
  );
}

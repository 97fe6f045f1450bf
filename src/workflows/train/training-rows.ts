import { PermafrostError } from '../../core/errors.ts';
import { present } from '../../results/report-data.ts';
import { streamFeatures, type FeatureStream } from '../../store/read/feature-stream.ts';
import type { HeadDocument } from '../../store/read/head-file.ts';
import { readManifest } from '../../store/format/manifest.ts';
import { storedPartsOfHead } from './head-parts.ts';
import { samplesOfHead } from './labelled-samples.ts';

/**
 * The training rows that a head left in its store, under the labels that it was trained on; undefined for a head that
 * holds all it needs. Throws FINGERPRINT_MISMATCH where the store now holds others, STORE_NOT_FOUND, STORE_CORRUPT.
 */
export async function trainingRows(
  file: string,
  store: string,
  document: HeadDocument,
): Promise<FeatureStream | undefined> {
  const { rows: digest, views = 0 } = document.trained;
  if (digest === undefined) return undefined;
  const manifest = await readManifest(store);
  const stored = storedPartsOfHead(store, manifest, document);
  let found = 'other training images';
  const there = manifest.dataset.views?.length ?? 0;
  if (there < views) found = `${there} views of each image, not ${views}`;
  else if (present(stored)) {
    const rows = await streamFeatures(store, manifest, stored.parts, ['train'], {
      views,
      samples: await samplesOfHead(store, manifest, document),
    });
    if (rows.digest === digest) return rows;
  } else found = `features of other settings (${stored.missing})`;
  throw new PermafrostError(
    'FINGERPRINT_MISMATCH',
    `${file} left its training rows in ${store}, which now holds ${found}. Train the head again, or extract the images that it was trained on.`,
  );
}

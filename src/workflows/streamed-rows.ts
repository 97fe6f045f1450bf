import { canonicalJson, sha256Hex } from '../core/digest.ts';
import { PermafrostError } from '../core/errors.ts';
import { streamFeatures, type FeatureStream } from '../store/feature-stream.ts';
import { differingSettings } from '../store/fingerprint.ts';
import type { HeadDocument } from '../store/head-file.ts';
import { readManifest } from '../store/manifest.ts';
import { currentSet } from '../store/reader.ts';
import type { StoredSample } from '../store/shard.ts';

/** Which images, with which labels, in which order: lower-case hex SHA-256. */
export function rowsDigest(samples: readonly StoredSample[]): string {
  return sha256Hex(canonicalJson(samples.map(({ sha256, label }) => [sha256, label])));
}

/**
 * The training rows that a head left in its store; undefined for a head that holds all it needs. Throws FINGERPRINT_MISMATCH where the store
 * now holds others, STORE_NOT_FOUND, STORE_CORRUPT.
 */
export async function trainingRows(
  file: string,
  store: string,
  { settings, pooling, trained }: HeadDocument,
): Promise<FeatureStream | undefined> {
  if (trained.rows === undefined) return undefined;
  const manifest = await readManifest(store);
  const differing = differingSettings(settings, currentSet(store, manifest).settings);
  const rows = differing.length > 0 ? undefined : await streamFeatures(store, manifest, pooling, 'train');
  if (rows !== undefined && rowsDigest(rows.samples) === trained.rows) return rows;
  const found =
    differing.length > 0 ? `features of other settings (${differing.join('; ')})` : 'other training images';
  throw new PermafrostError(
    'FINGERPRINT_MISMATCH',
    `${file} left its training rows in ${store}, which now holds ${found}. Train the head again, or extract the images that it was trained on.`,
  );
}

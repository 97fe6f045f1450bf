import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import type { StoredPart } from '../stored-parts.ts';

/**
 * SHA-256 of which files hold some parts: of each its set, its pooling and the digests of its shards. It changes with
 * any feature, and too where shards are written anew with the same features.
 */
export const featuresDigest = (parts: readonly StoredPart[]): string =>
  sha256Hex(
    canonicalJson(
      parts.map(({ set, pooling, stored }) => ({
        fingerprint: set.fingerprint,
        pooling,
        files: set.shards.flatMap(({ files }) => files[stored]?.sha256 ?? []).sort(),
      })),
    ),
  );

import { randomUUID } from 'node:crypto';
import { PermafrostError } from '../../../core/errors.ts';
import { s3Text, type S3Address } from './address.ts';
import type { S3Access } from './s3-access.ts';

/**
 * Writes an object below `folder` twice, each time only if there is none, and removes it. Throws STORE_WRITE where the
 * storage does not refuse the second: there two machines could publish the same unit, each over the other.
 */
export async function requireConditionalWrites(s3: S3Access, folder: S3Address): Promise<void> {
  const prefix = folder.key === '' ? '' : `${folder.key}/`;
  const probe = { bucket: folder.bucket, key: `${prefix}.probe-${randomUUID()}` };
  const bytes = Buffer.from('permafrost tests whether If-None-Match is heeded; this may be removed');
  const written: boolean[] = [];
  try {
    for (let i = 0; i < 2; i++) written.push(await s3.write(probe, bytes, { ifAbsent: true }));
  } finally {
    await s3.remove(probe);
  }
  if (written[0] === true && written[1] === false) return;
  throw new PermafrostError(
    'STORE_WRITE',
    `${s3Text(folder)} cannot be published to: the storage ${written[0] === true ? 'writes over an object' : 'refuses a new object'} where a write is to hold only if there is none (If-None-Match: *). Amazon S3, MinIO and versitygw heed it. Use such a storage, or a folder that all machines share.`,
  );
}

import type { ImageSource } from '../image-source.ts';
import { belowS3, parseS3Address } from './address.ts';
import { objectStamp, type ObjectStamps } from './object-stamp.ts';
import { openS3 } from './s3-access.ts';

/**
 * Images in S3 below a root (address.ts). Stamps come from `known`, as a listing told them; those of other objects are
 * asked for one by one.
 */
export async function s3Source(root: string, known?: ObjectStamps): Promise<ImageSource> {
  const s3 = await openS3();
  const addressOf = (path: string) => parseS3Address(belowS3(root, path));
  return {
    root,
    stamp: async (path) => known?.stampOf(path) ?? objectStamp(await s3.facts(addressOf(path))),
    read: async (path, signal) => s3.read(addressOf(path), { signal }),
    close: () => Promise.resolve(s3.close()),
  };
}

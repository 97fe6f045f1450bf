import type { ImageSource } from '../image-source.ts';
import { belowS3, parseS3Address, type S3Address } from './address.ts';
import { objectStamp, type ObjectStamps } from './object-stamp.ts';
import { openS3, type S3Access } from './s3-access.ts';

/**
 * Images in S3 below a root (address.ts). Stamps come from `known`, as a listing told them; those of other objects are
 * asked for one by one. Nothing is opened before something is asked. Throws as S3Access, and PACKAGE_MISSING.
 */
export function s3Source(root: string, known?: ObjectStamps): ImageSource {
  let s3: Promise<S3Access> | undefined;
  const opened = (): Promise<S3Access> => (s3 ??= openS3());
  const addressOf = (path: string): S3Address => parseS3Address(belowS3(root, path));
  return {
    root,
    stamp: async (path) => known?.stampOf(path) ?? objectStamp(await (await opened()).facts(addressOf(path))),
    read: async (path, signal) => (await opened()).read(addressOf(path), { signal }),
    async close() {
      await s3?.then(
        (access) => access.close(),
        () => undefined, // told where it was read
      );
    },
  };
}

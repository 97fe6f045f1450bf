import type { ByteFile } from '../../archives/byte-file.ts';
import type { ImageSource } from '../image-source.ts';
import { belowS3, parseS3Address, type S3Address } from './address.ts';
import { objectStamp, type ObjectStamps } from './object-stamp.ts';
import { openS3, type S3Access } from './s3-access.ts';
import { s3Files } from './s3-file.ts';

/** Objects below a root: images, and what is read in parts. */
export interface S3Source extends ImageSource {
  readonly access: () => Promise<S3Access>;
  /** Opens an object by its address, to be read in parts. */
  withFile<T>(address: string, work: (file: ByteFile) => Promise<T>): Promise<T>;
}

/**
 * Images in S3 below a root (address.ts). Stamps come from `known`, as a listing told them; those of other objects are
 * asked for one by one. Nothing is opened before something is asked. Throws as S3Access, and PACKAGE_MISSING.
 */
export function s3Source(root: string, known?: ObjectStamps): S3Source {
  let s3: Promise<S3Access> | undefined;
  const access = (): Promise<S3Access> => (s3 ??= openS3());
  let files: Promise<ReturnType<typeof s3Files>> | undefined;
  const addressOf = (path: string): S3Address => parseS3Address(belowS3(root, path));
  return {
    root,
    access,
    withFile: async (address, work) => (await (files ??= access().then(s3Files)))(address, work),
    stamp: async (path) => known?.stampOf(path) ?? objectStamp(await (await access()).facts(addressOf(path))),
    read: async (path, signal) => (await access()).read(addressOf(path), { signal }),
    async close() {
      await s3?.then(
        (opened) => opened.close(),
        () => undefined, // told where it was read
      );
    },
  };
}

import { few } from '../../core/errors.ts';
import type { FileStamp } from '../../core/files/file-stamp.ts';
import { belowS3, parseS3Address } from '../source/s3/address.ts';
import { objectStamp } from '../source/s3/object-stamp.ts';
import type { S3Access } from '../source/s3/s3-access.ts';
import { isImageName } from './image-tree.ts';
import type { PlacedFile } from './path-tree.ts';

/** What lies below an address, as folders and files. */
export interface BucketKeys {
  /** Paths are what a key has behind the root. */
  readonly files: readonly PlacedFile[];
  /** Of images alone. */
  readonly stamps: ReadonlyMap<string, FileStamp>;
  readonly warnings: readonly string[];
}

/**
 * Lists the keys below a root (source/s3/address.ts), by pages. Empty parts of a key (`cat//1.jpg`) make no folder, and
 * a key that ends in a slash is one. About 400 bytes an object. Throws DATASET_NOT_FOUND, DATASET_UNREACHABLE.
 */
export async function bucketKeys(s3: S3Access, root: string): Promise<BucketKeys> {
  const prefix = parseS3Address(belowS3(root, ''));
  const files: PlacedFile[] = [];
  const stamps = new Map<string, FileStamp>();
  const doubled: string[] = [];
  const slashed: string[] = [];
  for await (const page of s3.list(prefix)) {
    for (const { key, ...facts } of page) {
      const path = key.slice(prefix.key.length);
      const all = path.split('/');
      const parts = all.filter((part) => part !== '');
      const isFolder = path === '' || path.endsWith('/');
      if (isFolder && facts.size > 0) slashed.push(path);
      if (!isFolder && all.length > parts.length) doubled.push(path);
      if (parts.length === 0) continue;
      const at = parts.join('/');
      files.push(isFolder ? { at: `${at}/`, path } : { at: at === path ? path : at, path });
      if (!isFolder && isImageName(at)) stamps.set(path, objectStamp(facts));
    }
  }
  const warnings: string[] = [];
  if (doubled.length > 0)
    warnings.push(`Keys with empty parts are read as if they had none: ${few(doubled)} (${doubled.length} in all).`);
  if (slashed.length > 0)
    warnings.push(`Ignored ${slashed.length} objects with bytes whose keys end in a slash: ${few(slashed)}.`);
  return { files, stamps, warnings };
}

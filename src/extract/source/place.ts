import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isArchivePattern } from '../archives/archive-place.ts';
import { belowS3, isS3Address } from './s3/address.ts';

/** The root of a data set as stores keep it, the same from whatever folder it is named. */
export const absoluteRoot = (root: string): string => (isS3Address(root) ? root : resolve(root));

/** Where an image, or a folder of images, lies, for messages. */
export function placeOf(root: string, path: string): string {
  if (!isS3Address(root)) return join(isArchivePattern(root) ? dirname(root) : root, path);
  return path === '' ? root : belowS3(root, path);
}

/** Whether a root is there, as far as this machine can tell without asking another. */
export const isRootThere = (root: string): boolean =>
  isS3Address(root) || existsSync(isArchivePattern(root) ? dirname(root) : root);

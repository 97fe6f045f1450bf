import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { few, reasonOf } from '../../core/errors.ts';
import { ALL_BUCKETS, isS3Address, parseS3Address, s3Text, type S3Address } from '../source/s3/address.ts';
import { trimmed } from './labels.ts';

/** Refuses the line of a list that a path stands in. */
type Refuse = (what: string) => never;

/** How the paths of a list are understood. */
export interface ListPaths {
  /** A path in one form, whatever it is relative to. */
  locate(path: string, refuse: Refuse): string;
  /** The root that all of what was located is relative to, and those paths. */
  settle(located: readonly string[]): { readonly root: string; readonly paths: readonly string[] };
  warnings(file: string): readonly string[];
}

/** A path that can be meant in one way only: printable ASCII without a backslash, no blank at its ends. */
const PLAIN = /^[!-[\]-~]([ -[\]-~]*[!-[\]-~])?$/;

/** How a path may be meant, as it stands first: blanks at its ends, Windows' backslashes, another Unicode form. */
function spellingsOf(path: string): string[] {
  const slashes = sep === '/' ? path.replaceAll('\\', '/') : path;
  const forms = [path, trimmed(path), slashes, trimmed(slashes)];
  return [...new Set([...forms, ...forms.map((p) => p.normalize('NFC')), ...forms.map((p) => p.normalize('NFD'))])];
}

/**
 * Paths of files, relative to the folder `root`. `isThere` tells whether an image has such a path; asked only where a
 * path can be meant in several ways.
 */
export function filePaths(
  root: string,
  isThere: (path: string) => boolean = (path) => existsSync(resolve(root, path)),
): ListPaths {
  const backslashes: string[] = [];
  const clean = (path: string): string =>
    relative(root, isAbsolute(path) ? path : resolve(root, path))
      .split(sep)
      .join('/');
  return {
    locate(path, refuse: Refuse) {
      if (isS3Address(path))
        refuse(
          `${path} lies in S3, and the images of this data set are files. Give files and s3:// addresses lists of their own.`,
        );
      if (PLAIN.test(path)) return clean(path);
      const [asIs, ...others] = spellingsOf(path);
      const found = [asIs!, ...others].find((spelling) => isThere(clean(spelling)));
      // Where none is there, the failure of the image names the likeliest.
      const taken = found ?? trimmed(sep === '/' ? path.replaceAll('\\', '/') : path);
      if (path.includes('\\') && !taken.includes('\\')) backslashes.push(path);
      return clean(taken);
    },
    settle: (paths) => ({ root, paths }),
    warnings: (file) =>
      backslashes.length === 0
        ? []
        : [
            `${file}: ${backslashes.length} paths are written with Windows' backslashes (${few(backslashes, 2)}) and are read with slashes.`,
          ],
  };
}

/** What lies below an address, without `.` and `..`; undefined where `..` leads out of the bucket. */
function below(from: string, path: string): string | undefined {
  const parts = from.slice(ALL_BUCKETS.length).split('/');
  for (const part of path.split('/')) {
    if (part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 1) parts.pop();
    else return undefined;
  }
  return ALL_BUCKETS + parts.join('/');
}

function parsed(path: string, refuse: Refuse): S3Address {
  try {
    return parseS3Address(path);
  } catch (error) {
    return refuse(reasonOf(error));
  }
}

/** How S3's paths are settled. */
interface S3PathsOptions {
  /** The address that paths are relative to; undefined where all must be whole addresses. */
  readonly from: string | undefined;
  /** The root of the data set, where it is known: what is not below it keeps its whole address. */
  readonly root?: string;
}

/**
 * Addresses s3://bucket/key, and paths relative to one. They are taken as they stand, but for `.` and `..` in relative
 * ones. The root is `from` where all lie below it, else their bucket, else s3:// itself.
 */
export function s3Paths({ from, root }: S3PathsOptions): ListPaths {
  return {
    locate(path, refuse: Refuse) {
      if (isS3Address(path)) {
        const address = parsed(path, refuse);
        return address.key === '' ? refuse(`${path} names a bucket and no object.`) : s3Text(address);
      }
      if (from === undefined || isAbsolute(path) || /^[a-z]:[\\/]/i.test(path))
        refuse(
          `${path} is a file of this machine, and other images of this list lie in S3. Give files and s3:// addresses lists of their own.`,
        );
      return below(from, path) ?? refuse(`${path} leads out of the bucket, from ${from}.`);
    },
    settle(located) {
      const common = root ?? commonRoot(from, located);
      const start = common === ALL_BUCKETS ? common : `${common}/`;
      return { root: common, paths: located.map((at) => (at.startsWith(start) ? at.slice(start.length) : at)) };
    },
    warnings: () => [],
  };
}

function commonRoot(from: string | undefined, located: readonly string[]): string {
  if (from !== undefined && located.every((at) => at.startsWith(`${from}/`))) return from;
  const buckets = new Set(located.map((at) => parseS3Address(at).bucket));
  return buckets.size === 1 ? ALL_BUCKETS + [...buckets][0]! : ALL_BUCKETS;
}

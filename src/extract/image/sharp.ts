import type sharp from 'sharp';
import { PermafrostError, reasonOf } from '../../core/errors.ts';

export type Sharp = typeof sharp;
export type { ResizeOptions, Sharp as SharpImage } from 'sharp';

let loaded: Promise<Sharp> | undefined;

/**
 * sharp (libvips), loaded on first use. Without a cache, as each picture is read once, and with one thread a picture,
 * as pictures run at once on libuv's threads. Throws PACKAGE_MISSING.
 */
export function loadSharp(): Promise<Sharp> {
  loaded ??= import('sharp').then(
    ({ default: library }) => {
      library.cache(false);
      library.concurrency(1);
      return library;
    },
    (cause: unknown) => {
      loaded = undefined;
      throw new PermafrostError(
        'PACKAGE_MISSING',
        `sharp does not load: ${reasonOf(cause)} Images cannot be decoded without it. Run "npm ci" again, without --omit=optional: the native library comes as an optional package.`,
        { cause },
      );
    },
  );
  return loaded;
}

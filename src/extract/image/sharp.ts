import type sharp from 'sharp';
import { PermafrostError, reasonOf } from '../../core/errors.ts';

export type Sharp = typeof sharp;

let loaded: Promise<Sharp> | undefined;

/**
 * The image library sharp (libvips), loaded on first use and set up once: no cache of operations (each picture is read
 * once; a cache would only hold memory) and one thread a picture (pictures run beside each other on libuv's threads
 * instead). Throws PACKAGE_MISSING when the package or its native library does not load.
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

import { avifSpecial } from './avif.ts';
import { gifSpecial } from './gif.ts';
import { pngSpecial } from './png.ts';
import type { Special } from './special.ts';
import { tiffSpecial } from './tiff.ts';

/** What is special about a file, by its bytes. Throws IMAGE_UNDECODABLE for what the library misreads silently. */
export function specialOf(bytes: Uint8Array): Special | undefined {
  return tiffSpecial(bytes) ?? gifSpecial(bytes) ?? pngSpecial(bytes) ?? avifSpecial(bytes);
}

import { BMP } from './bmp.ts';
import { HEIC } from './heic.ts';
import type { OwnFormat } from './own-format.ts';
import { PNM } from './pnm.ts';

const OWN_FORMATS: readonly OwnFormat[] = [BMP, PNM, HEIC];

/** The format among those that are decoded here, told by the first bytes; undefined for all that is for sharp. */
export function ownFormatOf(bytes: Uint8Array): OwnFormat | undefined {
  return OWN_FORMATS.find((format) => format.isOne(bytes));
}

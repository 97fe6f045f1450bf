import type { Contract } from '../../../core/contract.ts';
import { PermafrostError } from '../../../core/errors.ts';
import type { Source } from '../../image/geometry.ts';
import { readHeader } from '../../image/decode.ts';
import { openPicture } from '../../image/picture.ts';
import { whatIsWrong } from '../../image/what-is-wrong.ts';

/**
 * An image as it is before it is resized: uint8 RGB of its whole size, upright where the contract turns it. Throws
 * IMAGE_UNDECODABLE.
 */
export async function uprightPixels(
  bytes: Uint8Array,
  contract: Pick<Contract, 'orientation' | 'alpha' | 'iccProfile'>,
): Promise<Source & { readonly channels: 3 }> {
  const header = await readHeader(bytes);
  try {
    const image = await openPicture(bytes, header, contract);
    const opaque = header.hasAlpha && contract.alpha === 'white' ? image.flatten({ background: '#ffffff' }) : image;
    const { data, info } = await opaque
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    return { data: channels === 3 ? data : withoutAlpha(data, channels), width, height, channels: 3 };
  } catch (cause) {
    throw cause instanceof PermafrostError ? cause : whatIsWrong(cause);
  }
}

/** The first three channels of interleaved ones. */
function withoutAlpha(data: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8Array((data.length / channels) * 3);
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    out[to] = data[from]!;
    out[to + 1] = data[from + 1]!;
    out[to + 2] = data[from + 2]!;
  }
  return out;
}

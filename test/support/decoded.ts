import type { Contract } from '../../src/core/contract.ts';
import { CONTRACTS } from '../../src/extract/contract.ts';
import { decode, readHeader } from '../../src/extract/image/decode.ts';
import { pixelAt } from './pictures.ts';

/** The contract of Keras, and one that takes every pixel as it does, but of the picture that a viewer shows. */
export const { keras } = CONTRACTS;
export const viewer: Contract = { ...keras, name: 'viewer', orientation: 'exif', alpha: 'white' };

export async function square(bytes: Uint8Array, contract: Contract): Promise<Uint8Array> {
  return decode(bytes, await readHeader(bytes), contract);
}

/** The colours of a small picture of width x height upright pixels, row by row, as a contract of NEAREST shows them. */
export async function colours(
  bytes: Uint8Array,
  contract: Contract,
  width: number,
  height: number,
): Promise<number[][]> {
  const pixels = await square(bytes, contract);
  const { size } = contract;
  return Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return pixelAt(pixels, size, Math.floor(((x + 0.5) * size) / width), Math.floor(((y + 0.5) * size) / height));
  });
}

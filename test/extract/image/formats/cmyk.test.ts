import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../../../src/extract/image/decode.ts';
import { colours, keras, square, viewer } from '../../../support/decoded.ts';
import { meanDifference, paint, toSharp } from '../../../support/pictures.ts';

/** A JPEG of 4 x 2 blocks of 8 x 8 in four inks, as Pillow 13 writes it: Adobe's marker, inverted inks, no profile. */
const JPEG = Buffer.from(
  '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoKCgYICwwLCgwJCgoK/8AAFAgAEAAgBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwDYrPr896/C+v3Er9fK87qSviOvlOuPr+hisev576/p0rQr8g6/RyvrCv2Er4br4vr+Puv5967Cv2wr9jK/P+v6yK3K/VCv1Ur/2Q==',
  'base64',
);
/** What Pillow 13 makes of it: Image.open(...).convert("RGB"). */
const BY_PILLOW = [
  [6, 6, 3],
  [13, 11, 2],
  [111, 101, 19],
  [110, 26, 113],
  [89, 112, 228],
  [16, 29, 19],
  [10, 36, 30],
  [122, 97, 122],
];

describe('a CMYK JPEG', () => {
  it('without a profile has the colours of Pillow to the byte, and a viewer shows the same', async () => {
    expect(await readHeader(JPEG)).toMatchObject({ width: 32, height: 16 });
    for (const contract of [keras, viewer]) expect(await colours(JPEG, contract, 4, 2)).toEqual(BY_PILLOW);
  });

  it('with a profile has the colours of that profile in a viewer, and those of Pillow under keras', async () => {
    const picture = paint(224, 224, (x, y) => [60 + x * 0.6, 60 + y * 0.6, 60 + (x + y) * 0.3].map(Math.round));
    const inks = await toSharp(picture).withIccProfile('cmyk').toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(inks).metadata()).hasProfile).toBe(true);
    const seen = await square(inks, viewer);
    const byPillow = await square(inks, keras);
    // Some of these colours no ink prints: 7.2 levels off on average, and 20.5 without the profile.
    expect(meanDifference(seen, picture.data)).toBeLessThan(9);
    expect(meanDifference(byPillow, picture.data)).toBeGreaterThan(15);
  });

  it('is resampled like any other picture', async () => {
    const smooth = { ...viewer, kernel: 'bilinear' as const };
    // Enlarged by 7 and 14 with a soft kernel: the middle of each block keeps its colour.
    expect(await colours(JPEG, smooth, 4, 2)).toEqual(BY_PILLOW);
  });
});

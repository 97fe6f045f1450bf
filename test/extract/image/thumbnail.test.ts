import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { largePicture, thumbnail } from '../../../src/extract/image/thumbnail.ts';
import { square, viewer } from '../../support/decoded.ts';
import { rejection } from '../../support/errors.ts';
import { meanDifference, paint, texture, toSharp } from '../../support/pictures.ts';
import { tiff } from '../../support/tiff.ts';

/** A picture as bytes of RGB. */
const rgb = async (webp: Uint8Array): Promise<Uint8Array> => sharp(webp).removeAlpha().raw().toBuffer();

describe('a picture for people', () => {
  it('is there of each file that is extracted: of a JPEG whose scan names other coefficients than it holds', async () => {
    // Some phones write Se = 0 into the scan header of a baseline JPEG; libjpeg warns, and every reader shows it.
    const bytes = await toSharp(texture(320, 320, 4))
      .jpeg()
      .toBuffer();
    const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));
    bytes[scan + 2 + bytes.readUInt16BE(scan + 2) - 2] = 0;
    await square(bytes, viewer);
    expect(await sharp(await thumbnail(bytes, 96)).metadata()).toMatchObject({ format: 'webp', width: 96, height: 96 });
    expect(await sharp(await largePicture(bytes, 256)).metadata()).toMatchObject({ width: 256, height: 256 });
  });

  it('shows what is extracted: YCbCr in its colours, a TIFF upright', async () => {
    const samples = Buffer.concat(Array.from({ length: 64 * 32 }, () => Buffer.from([128, 90, 200])));
    const bytes = tiff(64, 32, samples, { 258: [8, 8, 8], 262: [6], 274: [6], 277: [3], 530: [1, 1] });
    const shown = await largePicture(bytes, 1024);
    expect(await sharp(shown).metadata()).toMatchObject({ width: 32, height: 64 });
    const extracted = await square(bytes, { ...viewer, size: 32 });
    expect(meanDifference((await rgb(shown)).subarray(0, 32 * 3), extracted.subarray(0, 32 * 3))).toBeLessThan(3);
  });

  it('lies on white where it is transparent', async () => {
    const bytes = await toSharp(paint(64, 64, () => [0, 0, 0, 0]))
      .png()
      .toBuffer();
    expect((await rgb(await thumbnail(bytes, 32))).every((level) => level > 250)).toBe(true);
  });

  it('is refused where extraction refuses the file', async () => {
    const bytes = await toSharp(texture(64, 64, 1))
      .tiff({ compression: 'none' })
      .toBuffer();
    await rejection(thumbnail(bytes.subarray(0, bytes.length / 2), 96), 'IMAGE_UNDECODABLE');
    await rejection(largePicture(Buffer.from('no picture'), 96), 'IMAGE_UNDECODABLE');
  });
});

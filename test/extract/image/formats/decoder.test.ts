import { describe, expect, it } from 'vitest';
import { DECODER, decoderOf } from '../../../../src/extract/image/formats/decoder.ts';
import { paint, texture, toSharp } from '../../../support/pictures.ts';

const picture = texture(64, 48, 1);

describe('the version since which a file decodes as it does', () => {
  it('is the first for ordinary files, which need no new extraction', async () => {
    const ordinary = [
      toSharp(picture).jpeg(),
      toSharp(picture).jpeg({ progressive: true }),
      toSharp(picture).withMetadata({ orientation: 6 }).jpeg(),
      toSharp(picture).png(),
      toSharp(picture).withMetadata({ orientation: 6 }).png(),
      toSharp(picture).webp(),
      toSharp(picture).avif(),
      toSharp(picture).gif(),
    ];
    for (const one of ordinary) expect(decoderOf(await one.toBuffer())).toBe(1);
    expect(decoderOf(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'))).toBe(1);
  });

  it('is a later one for kinds that decoded otherwise before', async () => {
    const veiled = paint(64, 48, (x) => [200, 100, 50, x < 32 ? 0 : 255]);
    const changed = [
      toSharp(picture).tiff(),
      toSharp(picture).toColourspace('cmyk').jpeg(),
      toSharp(picture).toColourspace('grey16').png(),
      toSharp(veiled).gif(),
      toSharp(picture).withXmp('<x tiff:Orientation="6"/>').webp(),
    ];
    for (const one of changed) expect(decoderOf(await one.toBuffer())).toBe(DECODER);
  });

  it('is later for a JPEG with a damaged marker among its pixels', async () => {
    const bytes = await toSharp(picture).jpeg().toBuffer();
    bytes.set([0xff, 0xbe], Math.floor(bytes.length * 0.7));
    expect(decoderOf(bytes)).toBe(DECODER);
  });
});

import { describe, expect, it } from 'vitest';
import { readHeader } from '../../../../src/extract/image/decode.ts';
import { damagedMarker } from '../../../../src/extract/image/formats/jpeg-scans.ts';
import { rejection } from '../../../support/errors.ts';
import { texture, toSharp } from '../../../support/pictures.ts';

const jpeg = (options = {}): Promise<Buffer> =>
  toSharp(texture(96, 64, 3))
    .withMetadata({ orientation: 6 })
    .jpeg(options)
    .toBuffer();

describe('a marker among the pixels of a JPEG', () => {
  it('is none in sound files: baseline, progressive, with restart markers, with anything behind their end', async () => {
    for (const options of [{}, { progressive: true }, { optimiseScans: true }, { quality: 100 }])
      expect(damagedMarker(await jpeg(options))).toBeUndefined();
    expect(damagedMarker(Buffer.concat([await jpeg(), Buffer.from([0xff, 0xbe, 0xff, 0xc0])]))).toBeUndefined();
    expect(damagedMarker(Buffer.from('no JPEG'))).toBeUndefined();
  });

  it('is found, and the file refused, as Pillow refuses it: the library would fill the rest with grey', async () => {
    for (const marker of [0xbe, 0xc0, 0xf3, 0x02]) {
      const bytes = await jpeg();
      bytes.set([0xff, marker], Math.floor(bytes.length * 0.6));
      expect(damagedMarker(bytes)).toBe(marker);
      const { message } = await rejection(readHeader(bytes), 'IMAGE_UNDECODABLE');
      expect(message).toMatch(/It is damaged: the marker 0x[0-9a-f]+ stands in the middle of its pixels/);
    }
  });
});

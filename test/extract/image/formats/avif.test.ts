import { describe, expect, it } from 'vitest';
import { av1Colours } from '../../../../src/extract/image/formats/av1-range.ts';
import { readHeader } from '../../../../src/extract/image/decode.ts';
import { colours, keras, square } from '../../../support/decoded.ts';
import { paint, texture, toSharp } from '../../../support/pictures.ts';

/** A grey wedge of 8 x 8 pixels as Pillow 13 writes it with subsampling 4:0:0, in limited and in full range. */
const LIMITED = Buffer.from(
  'AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAOltZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAAHmlsb2MAAAAARAAAAQABAAAAAQAAAQ0AAABBAAAAKGlpbmYAAAAAAAEAAAAaaW5mZQIAAAAAAQAAYXYwMUNvbG9yAAAAAGhpcHJwAAAASWlwY28AAAAUaXNwZQAAAAAAAAAIAAAACAAAAA5waXhpAAAAAAEIAAAADGF2MUOBABwAAAAAE2NvbHJuY2x4AAEADQAGAAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAASW1kYXQSAAoIGAi/YYCGgxAyMxAAAp8oP6OJv66aDbUrRK1FQLpPT7jC/SIDIJawnSI+qZGNkdubWNJqZ46QumyabfHw4A==',
  'base64',
);
const FULL = Buffer.from(
  'AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAOltZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAAHmlsb2MAAAAARAAAAQABAAAAAQAAAQ0AAABKAAAAKGlpbmYAAAAAAAEAAAAaaW5mZQIAAAAAAQAAYXYwMUNvbG9yAAAAAGhpcHJwAAAASWlwY28AAAAUaXNwZQAAAAAAAAAIAAAACAAAAA5waXhpAAAAAAEIAAAADGF2MUOBABwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAUm1kYXQSAAoIGAi/YYCGg1AyPBAAa6jYauTuX/KH6jfyzHRMT1xshmmvMCmmwO3PV9cBt1fhURj/ZwzGJzv1QjLdXubM0aotlXMnlpm4rA==',
  'base64',
);
/** Of each fourth pixel what Pillow 13 makes of them. */
const LIMITED_BY_PILLOW = [0, 16, 31, 48, 64, 80, 97, 113, 129, 146, 161, 178, 194, 210, 226, 242];
const FULL_BY_PILLOW = [0, 16, 32, 48, 64, 80, 97, 113, 129, 145, 161, 178, 194, 210, 226, 242];

const fourths = async (bytes: Buffer): Promise<number[]> =>
  (await colours(bytes, keras, 8, 8)).filter((_, i) => i % 4 === 0).map(([grey]) => grey!);

describe('a monochrome AVIF', () => {
  it('of limited range is expanded to black and white, to the bytes of Pillow', async () => {
    expect(await fourths(LIMITED)).toEqual(LIMITED_BY_PILLOW);
    expect((await colours(LIMITED, keras, 8, 8)).at(-1)).toEqual([255, 255, 255]);
  });

  it('of full range is left as it is', async () => {
    expect(await fourths(FULL)).toEqual(FULL_BY_PILLOW);
    expect((await readHeader(FULL)).special).toBeUndefined();
  });

  it('tells its range in its sequence header where it has no box of colours', async () => {
    for (const [bytes, range] of [
      [LIMITED, LIMITED_BY_PILLOW],
      [FULL, FULL_BY_PILLOW],
    ] as const) {
      const bare = Buffer.from(bytes);
      bare.write('free', bare.indexOf('colr'), 'latin1');
      expect(await fourths(bare)).toEqual(range);
    }
  });
});

describe('an AVIF in colours', () => {
  it('is left to the library, also where its alpha is monochrome', async () => {
    const flat = paint(64, 48, () => [200, 100, 50, 128]);
    const bytes = await toSharp(flat).avif({ lossless: true }).toBuffer();
    expect((await readHeader(bytes)).special).toBeUndefined();
    expect(await colours(bytes, keras, 1, 1)).toEqual([[200, 100, 50]]);
    const coloured = await toSharp(texture(64, 48, 2))
      .avif()
      .toBuffer();
    expect((await readHeader(coloured)).special).toBeUndefined();
    expect(await square(coloured, keras)).toHaveLength(224 * 224 * 3);
  });

  it('that is damaged anywhere in its boxes fails as IMAGE_UNDECODABLE or decodes, and nothing else', async () => {
    for (let at = 0; at < 280; at += 3) {
      const damaged = Buffer.from(LIMITED);
      damaged[at]! ^= 0xff;
      const result = await square(damaged, keras).catch((error: unknown) => error);
      if (!(result instanceof Uint8Array)) expect(result).toMatchObject({ code: 'IMAGE_UNDECODABLE' });
    }
  });
});

describe('the colours of a sequence header', () => {
  it('are unknown of other units, and of films with timing', () => {
    expect(av1Colours(Buffer.from([0x12, 0x00]))).toBeUndefined();
    expect(av1Colours(Buffer.from([0x0a, 0x02, 0b00000100, 0]))).toBeUndefined();
    expect(av1Colours(Buffer.alloc(0))).toBeUndefined();
  });
});

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../../../src/extract/image/decode.ts';
import { colours, keras, viewer } from '../../../support/decoded.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { paint, toSharp } from '../../../support/pictures.ts';

const folder = temporaryFolders();

/** Grey levels of 3 x 2 pixels, and upright those of 2 x 3 by orientation 6: a quarter turn to the right. */
const LYING = [10, 20, 30, 40, 50, 60];
const UPRIGHT = [40, 10, 50, 20, 60, 30];

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  crc.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, crc]);
}

/** The lying picture with a chunk before or behind its pixels. */
async function png(extra: Buffer, where: 'before' | 'behind'): Promise<Buffer> {
  const plain = await toSharp(paint(3, 2, (x, y) => [LYING[3 * y + x]!]))
    .png()
    .toBuffer();
  const at = where === 'before' ? 33 : plain.length - 12;
  return Buffer.concat([plain.subarray(0, at), extra, plain.subarray(at)]);
}

/** An EXIF block that says nothing but an orientation. */
function exif(orientation: number): Buffer {
  const block = Buffer.alloc(26);
  block.write('MM\0*', 'latin1');
  block.writeUInt32BE(8, 4);
  block.writeUInt16BE(1, 8);
  block.writeUInt16BE(0x0112, 10);
  block.writeUInt16BE(3, 12);
  block.writeUInt32BE(1, 14);
  block.writeUInt16BE(orientation, 18);
  return block;
}

const xmp = (orientation: number): string =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="${orientation}"/></x:xmpmeta>`;
/** As ImageMagick writes it: the kind, the length, lines of hexadecimal digits. */
const rawProfile = (name: string, block: Buffer): string =>
  `\n${name}\n${String(block.length).padStart(8)}\n${block.toString('hex').replace(/(.{36})/g, '$1\n')}\n`;
const marked = (orientation: number): Buffer => Buffer.concat([Buffer.from('Exif\0\0'), exif(orientation)]);
const keyword = (word: string, ...rest: number[]): Buffer => Buffer.from([...Buffer.from(word, 'latin1'), 0, ...rest]);

const EXTRAS: readonly (readonly [string, (orientation: number) => Buffer])[] = [
  ['an eXIf chunk', (o) => chunk('eXIf', exif(o))],
  [
    'a compressed "Raw profile type exif"',
    (o) =>
      chunk('zTXt', Buffer.concat([keyword('Raw profile type exif', 0), deflateSync(rawProfile('exif', marked(o)))])),
  ],
  [
    'a plain "Raw profile type APP1"',
    (o) => chunk('tEXt', Buffer.concat([keyword('Raw profile type APP1'), Buffer.from(rawProfile('app1', marked(o)))])),
  ],
  ['XMP', (o) => chunk('iTXt', Buffer.concat([keyword('XML:com.adobe.xmp', 0, 0, 0, 0), Buffer.from(xmp(o))]))],
  [
    'compressed XMP',
    (o) => chunk('iTXt', Buffer.concat([keyword('XML:com.adobe.xmp', 1, 0, 0, 0), deflateSync(xmp(o))])),
  ],
];

describe('the orientation of a PNG', () => {
  it.each(
    EXTRAS.flatMap(([name, make]) => (['before', 'behind'] as const).map((where) => [name, where, make] as const)),
  )('is read from %s %s its pixels, as Pillow does', async (_name, where, make) => {
    const bytes = await png(make(6), where);
    expect(await readHeader(bytes)).toMatchObject({ width: 3, height: 2, orientation: 6 });
    expect((await colours(bytes, viewer, 2, 3)).map(([grey]) => grey)).toEqual(UPRIGHT);
    expect((await colours(bytes, keras, 3, 2)).map(([grey]) => grey)).toEqual(LYING);
  });

  it('is that of the EXIF block where others say otherwise, as in Pillow', async () => {
    const both = Buffer.concat([EXTRAS[3]![1](8), EXTRAS[0]![1](6)]);
    expect(await readHeader(await png(both, 'behind'))).toMatchObject({ orientation: 6 });
    const upright = Buffer.concat([EXTRAS[3]![1](8), EXTRAS[0]![1](1)]);
    expect(await readHeader(await png(upright, 'behind'))).toMatchObject({ orientation: 1 });
  });

  it('is 1 where its metadata are damaged: the picture is sound', async () => {
    const damaged = chunk('zTXt', Buffer.concat([keyword('Raw profile type exif', 0), Buffer.from('no deflate')]));
    const bytes = await png(damaged, 'before');
    expect(await readHeader(bytes)).toEqual({ width: 3, height: 2, orientation: 1, hasAlpha: false });
    expect((await colours(bytes, viewer, 3, 2)).map(([grey]) => grey)).toEqual(LYING);
  });
});

describe('the orientation that XMP names', () => {
  it('turns a JPEG and a WebP whose EXIF names none, as in Pillow', async () => {
    const flat = paint(48, 32, (x, y) => [x < 24 ? 30 : 200, y < 16 ? 30 : 200, 90]);
    for (const format of ['jpeg', 'webp'] as const) {
      const bytes = await toSharp(flat).withXmp(xmp(6)).toFormat(format).toBuffer();
      expect(await readHeader(bytes)).toMatchObject({ width: 48, height: 32, orientation: 6 });
      const [topLeft, topRight] = await colours(bytes, viewer, 2, 2);
      // A quarter turn to the right: what was at the bottom left is at the top left.
      expect([topLeft![1]! > 150, topRight![1]! < 80]).toEqual([true, true]);
    }
  });
});

describe('the text of a PNG', () => {
  const zTXt = (text: Buffer): Buffer =>
    chunk('zTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\0', 'latin1'), deflateSync(text)]));
  /** Looks at a file in a process that is ended after a minute; what is read in time takes some milliseconds. */
  function looked(file: Buffer): number | null {
    const at = join(folder(), 'hostile.png');
    writeFileSync(at, file);
    const module = new URL('../../../../dist/extract/image/formats/png.js', import.meta.url).href;
    const script = `const { pngSpecial } = await import(${JSON.stringify(module)});
      pngSpecial((await import('node:fs')).readFileSync(${JSON.stringify(at)}));`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000 }).status;
  }

  it('is read in time that grows with its length alone: a million blanks in a kilobyte took an hour', async () => {
    expect(looked(await png(zTXt(Buffer.from(`\nexif\n 1${' '.repeat(1_000_000)}z`)), 'before'))).toBe(0);
  });

  it('is unfolded up to a bound that all chunks share: 50,000 of a megabyte took minutes', async () => {
    const one = zTXt(Buffer.alloc(2 ** 20 - 1, 0x41));
    expect(looked(await png(Buffer.concat(Array<Buffer>(50_000).fill(one)), 'before'))).toBe(0);
  });
});

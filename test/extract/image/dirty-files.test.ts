import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { scanDataset } from '../../../src/extract/dataset/dataset.ts';
import { decode, MAX_PIXELS, readHeader } from '../../../src/extract/image/decode.ts';
import { folderSource } from '../../../src/extract/source/folder-source.ts';
import { MAX_FILE_BYTES } from '../../../src/extract/source/image-source.ts';
import { rejection } from '../../support/errors.ts';
import { blackPng } from '../../support/black-png.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';

const folder = temporaryFolders();
const posix = process.platform !== 'win32';

async function pixels(bytes: Uint8Array, contract = CONTRACTS.vgg16): Promise<Uint8Array> {
  return decode(bytes, await readHeader(bytes), contract);
}

describe('a decompression bomb', () => {
  it('of 30,000 x 30,000 pixels is refused by its header, with the limit in the reason', async () => {
    const bomb = blackPng(30_000, 30_000);
    expect(bomb.length).toBeLessThan(1e6);
    const { message } = await rejection(readHeader(bomb), 'IMAGE_UNDECODABLE');
    expect(message).toContain(`30000 x 30000 pixels, above the ${MAX_PIXELS}`);
  });

  it('that is a JPEG is refused by its header as well', async () => {
    const jpeg = await sharp({ create: { width: 16, height: 16, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(60_000, frame + 5);
    jpeg.writeUInt16BE(60_000, frame + 7);
    const { message } = await rejection(readHeader(jpeg), 'IMAGE_UNDECODABLE');
    expect(message).toContain(`60000 x 60000 pixels, above the ${MAX_PIXELS}`);
  });

  it('made of an SVG is refused too', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"><rect width="9" height="9"/></svg>',
    );
    await rejection(pixels(svg), 'IMAGE_UNDECODABLE');
  });

  it('just below the limit is decoded, several one after the other', async () => {
    const large = blackPng(8192, 8192);
    const found = await Promise.all([large, large, large].map((bytes) => pixels(bytes)));
    for (const square of found) expect(square.every((value) => value === 0)).toBe(true);
  });

  it('made of entities in an SVG ends at once', async () => {
    const entities = Array.from({ length: 30 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join('');
    const svg = `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "ha">${entities}]><svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text>&e30;</text></svg>`;
    const started = performance.now();
    await pixels(Buffer.from(svg)).catch((error: unknown) =>
      expect(error).toMatchObject({ code: 'IMAGE_UNDECODABLE' }),
    );
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

/** An uncompressed TIFF of one colour, 64 x 64, in four inks (cyan, magenta, yellow, black). */
function cmykTiff(inks: readonly number[]): Buffer {
  const side = 64;
  const entries = [
    [256, 3, 1, side],
    [257, 3, 1, side],
    [258, 3, 4, 0], // bits a sample: four numbers, which stand before the picture
    [259, 3, 1, 1],
    [262, 3, 1, 5],
    [273, 4, 1, 0], // where the picture begins
    [277, 3, 1, 4],
    [278, 3, 1, side],
    [279, 4, 1, side * side * 4],
  ];
  const bits = 10 + entries.length * 12 + 4;
  entries[2]![3] = bits;
  entries[5]![3] = bits + 8;
  const head = Buffer.alloc(bits + 8);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + i * 12;
    head.writeUInt16LE(tag!, at);
    head.writeUInt16LE(type!, at + 2);
    head.writeUInt32LE(count!, at + 4);
    head.writeUInt32LE(value!, at + 8);
  }
  for (let i = 0; i < 4; i++) head.writeUInt16LE(8, bits + 2 * i);
  return Buffer.concat([head, Buffer.from(Array.from({ length: side * side }, () => inks).flat())]);
}

describe('a YCCK JPEG', () => {
  /** A JPEG of one colour in four inks. Adobe's marker says what they are: 0 for CMYK, 2 for YCCK. */
  async function fourInks(inks: readonly number[], transform: 0 | 2): Promise<Buffer> {
    const jpeg = await sharp(cmykTiff(inks))
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toBuffer();
    const marker = jpeg.indexOf('Adobe');
    expect([marker > 0, jpeg[marker + 11]]).toEqual([true, 0]);
    jpeg[marker + 11] = transform;
    return jpeg;
  }

  it('shows the colours of the CMYK JPEG that it stands for, and other ones where it is taken for CMYK', async () => {
    const middle = async (jpeg: Buffer): Promise<number[]> => {
      const square = await pixels(jpeg);
      return [...square.subarray(112 * 224 * 3 + 336, 112 * 224 * 3 + 339)];
    };
    const far = (a: readonly number[], b: readonly number[]): number =>
      Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    const stored = [105, 145, 95, 60];
    // Inks are stored inverted; Y, Cb and Cr mean red, green and blue by JFIF's formula (ITU-T T.871).
    const [y, cb, cr] = stored.slice(0, 3).map((ink) => 255 - ink) as [number, number, number];
    const red = y + 1.402 * (cr - 128);
    const green = y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128);
    const blue = y + 1.772 * (cb - 128);
    const meant = await middle(await fourInks([...[red, green, blue].map(Math.round), stored[3]!], 0));
    const found = await middle(await fourInks(stored, 2));
    expect(far(found, meant)).toBeLessThanOrEqual(3);
    expect(far(await middle(await fourInks(stored, 0)), meant)).toBeGreaterThan(30);
  });
});

describe('a file that cannot be read as it is', () => {
  const read = (path: string) => folderSource('').read(path);

  it('is refused where it changes meanwhile', async () => {
    const path = join(folder(), 'growing.jpg');
    writeFileSync(path, Buffer.alloc(48 * 2 ** 20));
    let done = false;
    const work = rejection(read(path), 'IMAGE_UNREADABLE').finally(() => (done = true));
    for (let i = 0; i < 10_000 && !done; i++) {
      appendFileSync(path, 'more');
      await tick();
    }
    expect((await work).message).toContain('changed while it was read');
  });

  it('is refused where it is larger than what is read', async () => {
    const path = join(folder(), 'large.jpg');
    writeFileSync(path, '');
    truncateSync(path, MAX_FILE_BYTES + 1);
    expect((await rejection(read(path), 'IMAGE_UNREADABLE')).message).toContain(`above the ${MAX_FILE_BYTES}`);
  });

  it.skipIf(!posix)(
    'is not opened where it is a pipe or an endless device, which nobody would ever finish reading',
    async () => {
      const root = folder();
      execFileSync('mkfifo', [join(root, 'pipe.jpg')]);
      symlinkSync('/dev/zero', join(root, 'zero.jpg'));
      for (const name of ['pipe.jpg', 'zero.jpg'])
        expect((await rejection(read(join(root, name)), 'IMAGE_UNREADABLE')).message).toContain('no file');
    },
  );

  it.skipIf(!posix)('is a failure where nobody may read it', () => {
    const root = writeTree(folder(), { 'secret.jpg': 'x' });
    chmodSync(root, 0o755);
    chmodSync(join(root, 'secret.jpg'), 0o000);
    const module = pathToFileURL(join(import.meta.dirname, '../../../dist/extract/source/folder-source.js')).href;
    const script = `const { folderSource } = await import(${JSON.stringify(module)});
      await folderSource('').read(${JSON.stringify(join(root, 'secret.jpg'))}).catch((e) => console.log(e.code));`;
    // The superuser may read anything: another user is needed.
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: '/',
      ...user,
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'EACCES\n', stderr: '' });
  });
});

describe.skipIf(process.platform !== 'linux')('names that are not valid UTF-8', () => {
  it('are failures that show the bytes, each of them; names that hold U+FFFD in earnest are images', async () => {
    const root = writeTree(folder(), { 'a/good.jpg': 'x', 'a/really \ufffd.jpg': 'x', 'b/good.jpg': 'x' });
    const bytes = (...parts: (string | number)[]) =>
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));
    for (const odd of [0xe9, 0xe8]) writeFileSync(bytes(`${root}/a/caf`, odd, '.jpg'), 'x');
    mkdirSync(bytes(`${root}/b/`, 0xff));
    writeFileSync(bytes(`${root}/b/`, 0xff, '/inside.jpg'), 'x');
    mkdirSync(bytes(`${root}/class`, 0xfe));
    const { samples, failures } = await scanDataset(root);
    expect(samples.map(({ path }) => path)).toEqual(['a/good.jpg', 'a/really \ufffd.jpg', 'b/good.jpg']);
    expect(failures.map(({ path }) => path).sort()).toEqual([
      'a/caf\\xe8.jpg',
      'a/caf\\xe9.jpg',
      'b/\\xff',
      'class\\xfe',
    ]);
    for (const { code, reason } of failures)
      expect([code, reason]).toEqual(['IMAGE_UNREADABLE', expect.stringContaining('not valid UTF-8')]);
    expect(readFileSync(join(root, 'a/good.jpg'), 'utf8')).toBe('x');
  });
});

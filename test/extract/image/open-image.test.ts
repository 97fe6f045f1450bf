import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type * as HeicModule from '../../../src/extract/image/own-formats/heic.ts';
import type * as OpenImageModule from '../../../src/extract/image/open-image.ts';
import type * as ThumbnailModule from '../../../src/extract/image/thumbnail.ts';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { decode, readHeader } from '../../../src/extract/image/decode.ts';
import { blackPng } from '../../support/black-png.ts';
import { bmpFile } from '../../support/bitmaps.ts';
import { permafrost } from '../../support/command.ts';
import { textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { texture, toSharp } from '../../support/pictures.ts';

// Of the built program: a process of its own decodes such a file, and Node 20 runs no TypeScript.
const BUILT = new URL('../../../dist/', import.meta.url);
const built = (file: string): Promise<unknown> => import(new URL(file, BUILT).href);
const { canBeStopped, openImage, squareOf } = (await built('extract/image/open-image.js')) as typeof OpenImageModule;
const { thumbnail } = (await built('extract/image/thumbnail.js')) as typeof ThumbnailModule;

const folder = temporaryFolders();
const contract = CONTRACTS.keras;
const svg = (body: string): Buffer =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">${body}</svg>`);
const small = svg('<rect width="32" height="64" fill="red"/>');
/** Laying out one text takes time that grows with the square of its length: minutes for this one. */
const endless = svg(`<text y="20">${'letters '.repeat(15_000)}</text>`);

describe('an opened image', () => {
  it('has the pixels of decoding in this process, whatever process decodes it', async () => {
    const picture = texture(90, 60, 1);
    const pixels = Array.from(picture.data);
    const files = {
      svg: small,
      png: await toSharp(picture).png().toBuffer(),
      jpeg: await toSharp(picture).jpeg().toBuffer(),
      avif: await toSharp(picture).avif().toBuffer(),
      ppm: Buffer.concat([Buffer.from('P6 90 60 255\n'), picture.data]),
      bmp: bmpFile({ width: 2, height: 2, bits: 24, data: pixels.slice(0, 16) }),
      heic: await readFile(new URL('../../fixtures/images/gradient.heic', import.meta.url)),
    };
    for (const [kind, bytes] of Object.entries(files)) {
      for (const one of Object.values(CONTRACTS)) {
        const header = await readHeader(bytes);
        const opened = await openImage(bytes, one);
        expect(opened.header, kind).toEqual(header);
        expect(Buffer.compare(await opened.pixels, await decode(bytes, header, one)), kind).toBe(0);
      }
    }
    const same = await Promise.all([squareOf(files.ppm, contract), squareOf(files.png, contract)]);
    expect(Buffer.compare(...same)).toBe(0);
  });

  it('is a failure that names the option where it takes too long, and the next one is decoded', async () => {
    const [late, fine] = await Promise.allSettled([
      squareOf(endless, contract, { timeoutMs: 1000 }),
      squareOf(small, contract),
    ]);
    expect(fine.status).toBe('fulfilled');
    const reason = late.status === 'rejected' ? (late.reason as Error).message : 'it was decoded';
    expect(reason).toMatch(/takes longer than 1 s and was ended \(--image-timeout-ms\)/);
    expect(await squareOf(small, contract)).toHaveLength(224 * 224 * 3);
  });

  it('is a failure after the same time where libvips itself is stopped', async () => {
    // One pixel wide: each of its 12 million lines costs a call.
    const tall = blackPng(1, 12_000_000);
    await expect(squareOf(tall, contract, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'IMAGE_UNDECODABLE',
      message: textWith(/takes longer than 1 s/),
    });
  });

  it('is a failure after the same time where a PNG has much text to unfold', async () => {
    const png = await toSharp(texture(8, 8, 2))
      .png()
      .toBuffer();
    // 400 texts of 25 MB, each in 25 kB: ten gigabytes.
    const content = Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(Buffer.alloc(25e6))]);
    const body = Buffer.concat([Buffer.from('zTXt'), content]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    crc.writeUInt32BE(crc32(body));
    const text = Buffer.concat([length, body, crc]);
    const file = Buffer.concat([png.subarray(0, 33), ...Array<Buffer>(400).fill(text), png.subarray(33)]);
    const started = performance.now();
    await squareOf(file, contract, { timeoutMs: 1000 }).catch((error: unknown) =>
      expect(error).toMatchObject({ code: 'IMAGE_UNDECODABLE' }),
    );
    // One second for the picture; the rest is for a process to start on a busy machine.
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('is for a process of its own where it is tall, has many scans or long tiles: four threads serve all', async () => {
    expect(await canBeStopped(blackPng(1, 2 ** 16))).toBe(true);
    expect(await canBeStopped(blackPng(1, 2 ** 16 + 1))).toBe(false);
    const jpeg = await toSharp(texture(64, 64, 1))
      .jpeg({ progressive: true })
      .toBuffer();
    const scan = jpeg.lastIndexOf(Buffer.of(0xff, 0xda));
    const last = jpeg.subarray(scan, -2);
    const many = Buffer.concat([jpeg.subarray(0, -2), ...Array<Buffer>(24).fill(last), jpeg.subarray(-2)]);
    expect([await canBeStopped(jpeg), await canBeStopped(many)]).toEqual([true, false]);
    const tiled = (side: number): Promise<Buffer> =>
      toSharp(texture(side, side, 1))
        .tiff({ compression: 'lzw', tile: true })
        .toBuffer();
    const picture = await tiled(1200);
    expect([await canBeStopped(await tiled(256)), await canBeStopped(picture)]).toEqual([true, false]);
    const here = await decode(picture, await readHeader(picture), contract);
    expect(Buffer.compare(await squareOf(picture, contract), here)).toBe(0);
  });

  it('is refused for its own reason, however many are decoded at once', async () => {
    const picture = texture(60, 60, 3);
    const jpeg = await toSharp(picture).jpeg().toBuffer();
    const png = await toSharp(picture).png().toBuffer();
    const broken = png.subarray(0, png.length >> 1);
    const cut = jpeg.subarray(0, jpeg.length >> 1);
    const files = Array.from({ length: 40 }, (_, i) => [cut, broken, jpeg, png][i % 4]!);
    const told = await Promise.allSettled(files.map((bytes) => squareOf(bytes, contract)));
    const reasons = told.map((one) => (one.status === 'rejected' ? (one.reason as Error).message : 'decoded'));
    const alone = await Promise.allSettled([squareOf(cut, contract)]);
    for (const [i, reason] of reasons.entries())
      expect(reason).toMatch([/jpeg|JPEG/, /png/i, /^decoded$/, /^decoded$/][i % 4]!);
    expect(alone[0]).toMatchObject({ reason: { message: reasons[0] } });
  });

  it('is given up at once when the work is interrupted', async () => {
    const stop = new AbortController();
    const opening = squareOf(endless, contract, { signal: stop.signal });
    setTimeout(() => stop.abort(), 500);
    await expect(opening).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  it('is refused above the pixels that the caller takes', async () => {
    await expect(squareOf(small, contract, { mostPixels: 4095 })).rejects.toMatchObject({
      code: 'IMAGE_UNDECODABLE',
      message: textWith(/64 x 64 pixels, above the 4095/),
    });
  });

  it('has a thumbnail in every format', async () => {
    for (const bytes of [small, bmpFile({ width: 1, height: 1, bits: 24, data: [1, 2, 3, 0] })])
      expect(Buffer.from(await thumbnail(bytes, 16)).toString('latin1', 8, 12)).toBe('WEBP');
  });
});

describe('a program that decodes images', () => {
  const script = `
    import { squareOf } from ${JSON.stringify(new URL('extract/image/open-image.js', BUILT).href)};
    import { CONTRACTS } from ${JSON.stringify(new URL('extract/contract.js', BUILT).href)};
    import { readFileSync } from 'node:fs';
    squareOf(readFileSync(process.argv[1]), CONTRACTS.keras, { timeoutMs: 600_000 });`;

  it.runIf(process.platform === 'linux').each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'leaves no process behind when %s ends it',
    async (signal) => {
      const file = join(folder(), 'endless.svg');
      await writeFile(file, endless);
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, file], { stdio: 'ignore' });
      const children = async (): Promise<number[]> =>
        (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'))
          .split(' ')
          .filter(Boolean)
          .map(Number);
      let decoders: number[] = [];
      while (decoders.length === 0) {
        await after(100);
        decoders = await children();
      }
      await after(1500); // until it is at work
      child.kill(signal);
      await once(child, 'exit');
      const isAlive = (pid: number): boolean => {
        try {
          return process.kill(pid, 0);
        } catch {
          return false;
        }
      };
      for (let tries = 0; tries < 100 && decoders.some(isAlive); tries++) await after(100);
      expect(decoders.filter(isAlive)).toEqual([]);
    },
  );

  it('ends when its work is done: a process that waits for the next image does not hold it', async () => {
    const file = join(folder(), 'small.svg');
    await writeFile(file, small);
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, file], { stdio: 'ignore' });
    const started = performance.now();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it('extracts the other images of a folder, and lists the endless one', async () => {
    const data = join(folder(), 'data');
    for (const label of ['a', 'b']) {
      await mkdir(join(data, label), { recursive: true });
      for (const i of [1, 2, 3])
        await toSharp(texture(40, 40, i + (label === 'a' ? 0 : 9)))
          .png()
          .toFile(join(data, label, `${i}.png`));
    }
    await writeFile(join(data, 'a', 'endless.svg'), endless);
    const store = join(folder(), 's.permafrost');
    const { code, stdout } = await permafrost(['extract', data, '--store', store, '--image-timeout-ms', '1000']);
    expect({ code, stdout }).toMatchObject({ code: 3 });
    expect(stdout).toMatch(/6 extracted/);
    expect(await readFile(join(store, 'failures.csv'), 'utf8')).toMatch(
      /^"a\/endless\.svg","IMAGE_UNDECODABLE",".*longer than 1 s/m,
    );
  });
});

describe('without the package for HEIC', () => {
  it('a HEIC is refused in one sentence that says what to add', async () => {
    const elsewhere = join(folder(), 'dist');
    for (const part of ['core', 'extract/image/own-formats'])
      await cp(fileURLToPath(new URL(part, BUILT)), join(elsewhere, part), { recursive: true });
    await writeFile(join(elsewhere, 'package.json'), '{ "type": "module" }');
    const { HEIC } = (await import(
      pathToFileURL(join(elsewhere, 'extract/image/own-formats/heic.js')).href
    )) as typeof HeicModule;
    const bytes = await readFile(new URL('../../fixtures/images/gradient.heic', import.meta.url));
    await expect((async () => HEIC.header(bytes))()).rejects.toMatchObject({
      code: 'IMAGE_UNDECODABLE',
      message: textWith(/^It is HEIC \(HEVC\), .*npm install libheif-js/),
    });
  });
});

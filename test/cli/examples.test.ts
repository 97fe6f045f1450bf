import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Answered } from '../../src/results/answer-results.ts';
import { without } from '../../src/core/options.ts';
import { predict } from '../../src/index.ts';
import { temporaryFolders } from '../support/folders.ts';
import { pictures, tinyHead } from '../support/tiny-head.ts';

const at = (name: string): string => fileURLToPath(new URL(`../../docs/examples/${name}`, import.meta.url));
const folder = temporaryFolders();
let store: string;
let images: string[];
const expected: Answered[] = [];
const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

beforeAll(async () => {
  ({ store } = await tinyHead(folder()));
  images = await pictures(folder(), ['one.png', 'two.png']);
  // Each alone, as the services are asked: an answer depends on the others of its batch in the last digit.
  for (const image of images) expected.push(...(await predict(store, [image], { neighbors: 0 })).predictions);
});

/** Starts an example of a service and waits for its address. */
async function started(name: string): Promise<{ readonly address: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [at(name), store, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { address: line.trim(), child };
}

async function stopped(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
}

const withoutPath = (answered: Answered): Answer => without(answered, 'path');
const bytesOf = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(path));

describe('the examples of a classifier in a program', () => {
  it('answer an image by Express, say what is wrong with a bad one, and end cleanly', async () => {
    const { address, child } = await started('express.mjs');
    const ask = (body: Uint8Array<ArrayBuffer>, type = 'image/png'): Promise<Response> =>
      fetch(`${address}/classify`, { method: 'POST', body, headers: { 'Content-Type': type } });
    const { label, probability, unknown } = expected[0]!;
    expect(await (await ask(bytesOf(images[0]!))).json()).toEqual({ label, probability, unknown });
    const bad = await ask(Uint8Array.of(1, 2, 3));
    expect([bad.status, await bad.json()]).toMatchObject([422, { code: 'IMAGE_UNDECODABLE' }]);
    expect((await ask(bytesOf(images[0]!), 'text/plain')).status).toBe(415);
    await stopped(child);
  });

  it('answer several images by Hono, failures beside answers', async () => {
    const { address, child } = await started('hono.mjs');
    const form = new FormData();
    for (const [i, path] of images.entries()) form.append('image', new Blob([bytesOf(path)]), `${i}.png`);
    form.append('image', new Blob(['no image']), 'bad.png');
    const answers = (await (await fetch(`${address}/classify`, { method: 'POST', body: form })).json()) as unknown[];
    expect(answers).toMatchObject([
      { name: '0.png', label: expected[0]!.label, unknown: false },
      { name: '1.png', label: expected[1]!.label, unknown: false },
      { name: 'bad.png', code: 'IMAGE_UNDECODABLE' },
    ]);
    await stopped(child);
  });

  it("answer the pages of an Electron app from its main process, by a file's bytes and by a canvas' pixels", async () => {
    const { answerPages } = (await import(at('electron/classifier.mjs'))) as {
      answerPages: (ipcMain: object, source: string) => Promise<() => Promise<void>>;
    };
    // Electron itself is no package that installs everywhere: this is the part of it that the example calls.
    const handlers = new Map<string, (event: object, image: unknown) => Promise<Answer>>();
    const close = await answerPages({ handle: handlers.set.bind(handlers) }, store);
    const classify = handlers.get('classify')!;
    const bytes = bytesOf(images[0]!);
    const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    const pixels = { data: new Uint8ClampedArray(data), width: info.width, height: info.height };
    for (const image of [bytes.buffer, pixels]) {
      const { neighbors, ...answer } = await classify({}, image);
      expect({ ...answer, neighbors: [] }).toEqual(withoutPath(expected[0]!));
      expect(neighbors).toHaveLength(3);
    }
    expect(await classify({}, new ArrayBuffer(3))).toMatchObject({ code: 'IMAGE_UNDECODABLE' });
    await close();
  });

  it.each(readdirSync(at('electron')).filter((name) => /\.[mc]js$/.test(name)))('is a script: electron/%s', (name) => {
    execFileSync(process.execPath, ['--check', at(join('electron', name))], { stdio: 'pipe' });
  });
});

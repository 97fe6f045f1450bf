import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, expect, it } from 'vitest';
import type { RunResult } from '../../src/results/head-result.ts';
import type { InspectResult } from '../../src/results/store-results.ts';
import { document, permafrost } from '../support/command.ts';
import { texture, toSharp } from '../support/pictures.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'permafrost-dirty-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('makes every file of a dirty folder a row or a failure with its reason, trains the heads and exits with 3', async () => {
  const dataset = await stripedDataset(join(folder, 'Dirty "data" set'), 4, 3);
  const dirt = join(dataset, 'Train', 'down');
  const image = (seed: number): Sharp => toSharp(texture(80, 60, seed));
  const jpeg = await image(1).jpeg().toBuffer();
  const frames = await Promise.all([2, 3].map((seed) => image(seed).png().toBuffer()));
  const good: Record<string, Buffer | string> = {
    'cmyk.jpg': await image(4).toColourspace('cmyk').jpeg().toBuffer(),
    '16 bit.png': await image(5).toColourspace('rgb16').png().toBuffer(),
    'alpha.png': await image(6).ensureAlpha(0.3).png().toBuffer(),
    'animated.gif': await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer(),
    'drawing.svg':
      '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><circle cx="20" cy="15" r="9" fill="#c31"/></svg>',
    'grey.jpg': await image(7).greyscale().jpeg().toBuffer(),
    'it\'s "quoted".png': await image(8).png().toBuffer(),
    '🐻 bear.png': await image(9).png().toBuffer(),
    'two\nlines.png': await image(10).png().toBuffer(),
    'UPPER.JPG': await image(11).jpeg().toBuffer(),
  };
  const bad: Record<string, Buffer | string> = {
    'truncated.jpg': jpeg.subarray(0, jpeg.length / 2),
    'zero.jpg': '',
    'text.jpg': 'This is not a picture.',
    'truncated.png': frames[0]!.subarray(0, frames[0]!.length / 2),
    'windows.bmp': Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]),
  };
  for (const [name, bytes] of Object.entries({ ...good, ...bad })) writeFileSync(join(dirt, name), bytes);
  mkdirSync(join(dataset, 'Train', '.ipynb_checkpoints'));
  writeFileSync(join(dirt, '.hidden.jpg'), jpeg);
  writeFileSync(join(dirt, 'notes.txt'), 'no image by its name');

  const store = join(folder, 'store');
  const finished = await permafrost(['run', dataset, '--store', store, '--json']);
  expect(finished.code).toBe(3);
  const result = document<RunResult>(finished);
  expect(result.failed.map(({ path }) => path).sort()).toEqual(
    Object.keys(bad)
      .map((name) => `Train/down/${name}`)
      .sort(),
  );
  for (const { code, reason } of result.failed) {
    expect(code).toBe('IMAGE_UNDECODABLE');
    expect(reason.length).toBeGreaterThan(10);
  }
  const listed = readFileSync(join(store, 'failures.csv'), 'utf8').split('\r\n');
  expect(listed).toHaveLength(1 + Object.keys(bad).length + 1);
  expect(listed[0]).toBe('path,code,reason');
  for (const name of Object.keys(bad))
    expect(listed.filter((line) => line.startsWith(`"Train/down/${name}","IMAGE_UNDECODABLE","`))).toHaveLength(1);
  const rows = 2 * 4 + 2 * 3 + Object.keys(good).length;
  expect(result).toMatchObject({
    extracted: rows,
    images: rows + Object.keys(bad).length,
    classes: ['across', 'down'],
  });
  expect(result.heads.length).toBeGreaterThanOrEqual(7);
  expect(result.warnings.join()).toContain('notes.txt');

  const inspected = document<InspectResult>(await permafrost(['inspect', store, '--json']));
  expect(inspected.images).toBe(rows);
  expect(inspected.failed).toHaveLength(Object.keys(bad).length);
  expect(readFileSync(join(dirt, 'notes.txt'), 'utf8')).toBe('no image by its name');

  const strict = await permafrost(['run', dataset, '--store', store, '--max-failures', '2']);
  expect(strict.code).toBe(1);
  expect(strict.stderr).toContain('TOO_MANY_FAILURES');

  for (const name of Object.keys(bad)) rmSync(join(dirt, name));
  expect((await permafrost(['extract', dataset, '--store', store, '--max-failures', '0'])).code).toBe(0);
  expect(existsSync(join(store, 'failures.csv'))).toBe(false);
});

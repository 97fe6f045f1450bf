import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readIconSet } from '../../../src/extract/image/icon-set.ts';

let folder: string;
let shapes: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'permafrost-icons-'));
  shapes = join(folder, 'shapes.json');
  const icons = { dot: { body: '<circle r="1"/>' }, wide: { body: '<path/>', width: 40, height: 10 } };
  await writeFile(shapes, JSON.stringify({ package: 'shapes', version: '1.2.3', icons, width: 32, height: 32 }));
});

afterAll(() => rm(folder, { recursive: true }));

describe('an icon set', () => {
  test('tells its source and draws a picture by name as standalone SVG', async () => {
    const set = await readIconSet(shapes);
    expect(set.source).toBe('shapes@1.2.3');
    expect(set.draw('dot', 224)).toMatch(
      /^<svg [^>]*width="224" height="224" viewBox="0 0 32 32"><circle r="1"\/><\/svg>$/,
    );
  });

  test('keeps the aspect ratio of a picture that states its own size', async () => {
    expect((await readIconSet(shapes)).draw('wide', 224)).toContain('viewBox="0 0 40 10"');
  });

  test('names a picture that it does not have', async () => {
    const set = await readIconSet(shapes);
    expect(() => set.draw('toString', 224)).toThrow('shapes have none named "toString"');
  });

  test('says what to do where its file is missing or torn', async () => {
    const torn = join(folder, 'torn.json');
    await writeFile(torn, '{"package":');
    for (const file of [join(folder, 'absent.json'), torn]) {
      const refused = readIconSet(file);
      await expect(refused).rejects.toMatchObject({ code: 'PACKAGE_MISSING' });
      await expect(refused).rejects.toThrow(/install it again/);
    }
  });
});

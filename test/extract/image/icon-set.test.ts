import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findIconSet } from '../../../src/extract/image/icon-set.ts';

let packages: string;
const resolve = (specifier: string): string => join(packages, specifier);

beforeAll(async () => {
  packages = await mkdtemp(join(tmpdir(), 'permafrost-icons-'));
  await mkdir(join(packages, 'shapes'));
  await writeFile(join(packages, 'shapes/package.json'), JSON.stringify({ version: '1.2.3' }));
  const icons = { dot: { body: '<circle r="1"/>' }, wide: { body: '<path/>', width: 40, height: 10 } };
  await writeFile(join(packages, 'shapes/icons.json'), JSON.stringify({ icons, width: 32, height: 32 }));
});

afterAll(() => rm(packages, { recursive: true }));

describe('an icon set', () => {
  test('tells its version and draws a picture by name as standalone SVG', async () => {
    const set = await findIconSet('shapes', resolve);
    expect(set).toMatchObject({ packageName: 'shapes', version: '1.2.3' });
    const draw = await set.load();
    expect(draw('dot', 224)).toMatch(
      /^<svg [^>]*width="224" height="224" viewBox="0 0 32 32"><circle r="1"\/><\/svg>$/,
    );
  });

  test('keeps the aspect ratio of a picture that states its own size', async () => {
    const draw = await (await findIconSet('shapes', resolve)).load();
    expect(draw('wide', 224)).toContain('viewBox="0 0 40 10"');
  });

  test('names a picture that it does not have', async () => {
    const draw = await (await findIconSet('shapes', resolve)).load();
    expect(() => draw('toString', 224)).toThrow('shapes has no picture "toString"');
  });

  test('says what to install where the package is missing', async () => {
    const missing = findIconSet('@iconify-json/never-published-by-anyone');
    await expect(missing).rejects.toMatchObject({ code: 'PACKAGE_MISSING' });
    await expect(missing).rejects.toThrow(/"npm ci" without --omit=dev/);
  });
});

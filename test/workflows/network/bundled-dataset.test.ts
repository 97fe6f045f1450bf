import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256Hex } from '../../../src/core/digest.ts';
import {
  BUNDLED_STYLES,
  bundledClasses,
  renderBundledDataset,
} from '../../../src/workflows/network/bundled-dataset.ts';

let work: string;
let root: string;
const progress: [number, number][] = [];

async function pictures(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries.filter((path) => path.endsWith('.png')).sort();
}

async function digests(folder: string): Promise<string[]> {
  const read = async (path: string): Promise<string> => sha256Hex(await readFile(join(folder, path)));
  return Promise.all((await pictures(folder)).map(read));
}

/** Standard deviation of red, green and blue, in levels. */
function deviations(rgb: Uint8Array): number[] {
  return [0, 1, 2].map((channel) => {
    let sum = 0;
    let squares = 0;
    for (let i = channel; i < rgb.length; i += 3) {
      sum += rgb[i]!;
      squares += rgb[i]! ** 2;
    }
    const n = rgb.length / 3;
    return Math.sqrt(squares / n - (sum / n) ** 2);
  });
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'permafrost-bundled-'));
  ({ root } = await renderBundledDataset(join(work, 'emoji'), {
    listener: { progress: ({ done, total }) => progress.push([done, total]) },
  }));
});

afterAll(() => rm(work, { recursive: true }));

describe('the list of the bundled data set', () => {
  test('has ten classes of twenty emoji', async () => {
    const classes = await bundledClasses();
    expect([...classes.values()].map((names) => names.length)).toEqual(Array(10).fill(20));
  });

  test('names no emoji twice, within a class or across classes', async () => {
    const names = [...(await bundledClasses()).values()].flat();
    expect(new Set(names).size).toBe(names.length);
  });

  test('names no variant of skin tone or gender', async () => {
    const names = [...(await bundledClasses()).values()].flat();
    expect(names.filter((name) => /skin-tone|^(wo)?man-|-(light|medium|dark)$/.test(name))).toEqual([]);
  });
});

describe('the rendered data set', () => {
  test('has 400 pictures to train on and 200 to validate on', async () => {
    expect(await pictures(join(root, 'train'))).toHaveLength(400);
    expect(await pictures(join(root, 'val'))).toHaveLength(200);
  });

  test('draws each emoji of each class once in every style, and no style in both splits', async () => {
    for (const [label, names] of await bundledClasses()) {
      for (const split of ['train', 'val']) {
        const styles = BUNDLED_STYLES.filter((entry) => entry.split === split);
        const expected = styles.flatMap(({ style }) => names.map((name) => `${style}-${name}.png`)).sort();
        expect(await pictures(join(root, split, label))).toEqual(expected);
      }
    }
  });

  test('consists of 224 x 224 RGB pictures that are not blank', async () => {
    for (const path of await pictures(root)) {
      const { data, info } = await sharp(join(root, path)).raw().toBuffer({ resolveWithObject: true });
      expect([path, info.width, info.height, info.channels]).toEqual([path, 224, 224, 3]);
      // The faintest picture (a glass of milk) deviates by 25 levels; blank paper by 0.
      expect([path, Math.max(...deviations(data)) > 20]).toEqual([path, true]);
    }
  });

  test('has no picture twice: styles differ in every emoji', async () => {
    expect(new Set(await digests(root)).size).toBe(600);
  });
});

describe('renderBundledDataset', () => {
  test('gives the same bytes in another folder', async () => {
    const again = await renderBundledDataset(join(work, 'again'));
    expect(again).toMatchObject({ images: 600, rendered: 600 });
    expect(await digests(again.root)).toEqual(await digests(root));
  });

  test('leaves a complete folder as it is', async () => {
    const before = await stat(join(root, 'val/face/fluent-winking-face.png'));
    expect(await renderBundledDataset(root)).toEqual({ root, images: 600, rendered: 0 });
    expect((await stat(join(root, 'val/face/fluent-winking-face.png'))).mtimeMs).toBe(before.mtimeMs);
  });

  test('tells its progress up to the last picture', () => {
    expect(progress).toEqual(Array.from({ length: 600 }, (_, i) => [i + 1, 600]));
  });

  test('draws a folder anew where a picture is missing', async () => {
    const folder = join(work, 'holed');
    await cp(root, folder, { recursive: true });
    await rm(join(folder, 'train/bird/noto-owl.png'));
    expect(await renderBundledDataset(folder)).toMatchObject({ rendered: 600 });
    expect(await digests(folder)).toEqual(await digests(root));
  });

  test('draws a folder anew where the stamp is missing, as in a copy that stopped halfway', async () => {
    const folder = join(work, 'half');
    await mkdir(join(folder, 'train/bird'), { recursive: true });
    await writeFile(join(folder, 'train/bird/noto-owl.png'), 'half a picture');
    expect(await renderBundledDataset(folder)).toMatchObject({ rendered: 600 });
    expect(await digests(folder)).toEqual(await digests(root));
  });

  test('draws a folder anew when the pictures have another version', async () => {
    const folder = join(work, 'outdated');
    const pictures = join(work, 'other-pictures');
    await cp(fileURLToPath(new URL('../../../data/emoji', import.meta.url)), pictures, { recursive: true });
    const noto = join(pictures, 'noto.json');
    await writeFile(noto, (await readFile(noto, 'utf8')).replace(/"version":"[^"]+"/, '"version":"0.0.1"'));
    await cp(root, folder, { recursive: true });
    expect(await renderBundledDataset(folder, { pictures })).toMatchObject({ rendered: 600 });
    expect(await renderBundledDataset(folder, { pictures })).toMatchObject({ rendered: 0 });
  });

  test('stops and leaves nothing behind when it is interrupted', async () => {
    const parent = join(work, 'interrupted');
    const abort = new AbortController();
    let drawn = 0;
    const stopped = renderBundledDataset(join(parent, 'emoji'), {
      signal: abort.signal,
      listener: {
        progress: ({ done }) => {
          drawn = done;
          if (done === 30) abort.abort();
        },
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(drawn).toBeLessThan(40);
    expect(await readdir(parent)).toEqual([]);
  });

  test('says what to do where a file of pictures is missing, and writes nothing', async () => {
    const folder = join(work, 'missing');
    const refused = renderBundledDataset(folder, { pictures: join(work, 'no-pictures') });
    await expect(refused).rejects.toMatchObject({ code: 'PACKAGE_MISSING' });
    await expect(refused).rejects.toThrow(/no-pictures.*install it again/);
    await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

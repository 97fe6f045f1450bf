import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { predict } from '../../../src/index.ts';
import { folderNames } from '../../../src/workflows/predict/folder-names.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { pictures, tinyHead, type TinyHead } from '../../support/tiny-head.ts';

const folder = temporaryFolders();
let head: TinyHead;
let camera: string;
let images: string[];

beforeAll(async () => {
  head = await tinyHead(folder());
  camera = folder();
  // Equal names, as cameras give them.
  images = await pictures(camera, ['one/p.png', 'two/p.png', 'three/p.png', 'four/q.png']);
  writeFileSync(join(camera, 'four/torn.png'), 'no image');
});

/** What is in a sorted folder: by class the content of each file. */
const sorted = (root: string): Record<string, string[]> =>
  Object.fromEntries(
    readdirSync(root).map((name) => [
      name,
      readdirSync(join(root, name)).map((file) => readFileSync(join(root, name, file), 'base64')),
    ]),
  );
const contents = (paths: readonly string[]): string[] => paths.map((path) => readFileSync(path, 'base64')).sort();

describe('images that are sorted into folders', () => {
  it('lie in the folder of their class, equal names told apart, failed ones by themselves', async () => {
    const into = join(folder(), 'sorted');
    const { predictions } = await predict(head.file, images, { neighbors: 0 });
    const { sorted: facts, counts } = await predict(head.file, [camera], { sortInto: into });
    expect(facts).toEqual({ folder: into, isLinks: false, put: 5, there: 0, gone: 0 });
    expect(counts).toMatchObject({ answered: 4, failed: 1 });
    const found = sorted(into);
    expect(found['failed']).toEqual(contents([join(camera, 'four/torn.png')]));
    for (const label of ['a', 'b']) {
      const its = predictions.filter((one) => one.label === label).map(({ path }) => path);
      expect((found[label] ?? []).sort()).toEqual(contents(its));
    }
    // The same again makes nothing, and a file of the user's own stays as it is.
    writeFileSync(join(into, 'failed', 'mine.txt'), 'mine');
    const again = await predict(head.file, [camera], { sortInto: into });
    expect(again.sorted).toMatchObject({ put: 0, there: 5 });
    expect(readFileSync(join(into, 'failed', 'mine.txt'), 'utf8')).toBe('mine');
  });

  it('never take the place of what is there', async () => {
    const into = folder();
    const [first] = (await predict(head.file, [images[3]!], { neighbors: 0 })).predictions;
    mkdirSync(join(into, first!.label));
    writeFileSync(join(into, first!.label, 'q.png'), 'another');
    await predict(head.file, [images[3]!], { sortInto: into });
    expect(readFileSync(join(into, first!.label, 'q.png'), 'utf8')).toBe('another');
    expect(readFileSync(join(into, first!.label, 'q-2.png'))).toEqual(readFileSync(images[3]!));
  });

  it('are links where that is asked, which lead to them from anywhere', async () => {
    const into = folder();
    const missing = join(camera, 'gone.png');
    const { sorted: facts } = await predict(head.file, [...images, missing], { sortInto: into, link: true });
    expect(facts).toEqual({ folder: into, isLinks: true, put: 4, there: 0, gone: 1 });
    const links = readdirSync(into, { recursive: true, encoding: 'utf8' })
      .map((name) => join(into, name))
      .filter((path) => lstatSync(path).isSymbolicLink());
    expect(links.map((path) => readlinkSync(path)).sort()).toEqual(images.map((path) => resolve(path)).sort());
    const again = await predict(head.file, images, { sortInto: into, link: true });
    expect(again.sorted).toMatchObject({ put: 0, there: 4 });
  });

  it('go beside others as unknown where they are', async () => {
    const into = folder();
    await predict(head.file, images, { sortInto: into, minProbability: 1 });
    expect(Object.keys(sorted(into))).toEqual(['unknown']);
  });

  it('are not sorted into the folder that they are looked for in', async () => {
    const inside = join(camera, 'sorted');
    const { message } = await rejection(predict(head.file, [camera], { sortInto: inside }), 'OPTION_INVALID');
    expect(message).toContain('the next run would meet them again');
    expect(existsSync(inside)).toBe(false);
  });
});

describe('folders of classes', () => {
  const answer = (label: string, unknown = false) => ({ label, unknown, path: 'a' }) as never;
  it('have names that any system takes, no two alike', () => {
    const labels = ['a/b', '..', 'A/B', 'con', 'unknown', 'dots.', 'Ünï'];
    const names = folderNames(labels);
    expect(labels.map((label) => names.of(answer(label)))).toEqual([
      'a_b',
      '__',
      'A_B-2',
      'con_',
      'unknown',
      'dots_',
      'Ünï',
    ]);
    expect(names.of(answer('a/b', true))).toBe('unknown-2');
    expect(names.of({ path: 'a', code: 'IMAGE_UNREADABLE', reason: '' })).toBe('failed');
  });
});

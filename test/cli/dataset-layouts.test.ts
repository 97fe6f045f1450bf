import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import type { PredictResult } from '../../src/results/answer-results.ts';
import { document, permafrost, type Finished } from '../support/command.ts';
import { temporaryFolders, writeTree } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = temporaryFolders();
let root: string;
/** seg_train/seg_train and valid with labels, test without, a NAS's thumbnails: Train and Val of stripes. */
let dataset: string;

beforeAll(async () => {
  root = folder();
  const stripes = await stripedDataset(join(root, 'stripes'), 3, 2);
  dataset = join(root, 'pets');
  mkdirSync(join(dataset, 'seg_train'), { recursive: true });
  renameSync(join(stripes, 'Train'), join(dataset, 'seg_train/seg_train'));
  renameSync(join(stripes, 'Val'), join(dataset, 'valid'));
  cpSync(join(dataset, 'valid/down'), join(dataset, 'test'), { recursive: true });
  cpSync(join(dataset, 'valid/down/0.png'), join(dataset, 'valid/down/@eaDir/0.png/SYNOPHOTO_THUMB_M.png'), {
    recursive: true,
  });
});

const refused = ({ code, stdout, stderr }: Finished): string => {
  expect(code).toBe(1);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  expect(stderr).toContain(`[${error.code}]`);
  return error.message;
};

describe('a data set of unusual layout', () => {
  it('is run as it was meant; what was made of it is told on the terminal, in --json and in results.json', async () => {
    const store = join(root, 'pets.permafrost');
    const finished = await permafrost(['run', dataset, '--json', '--store', store, '--engine', 'onnxruntime']);
    expect({ code: finished.code, stderr: finished.stderr }).toMatchObject({ code: 0 });
    const result = document<ExtractResult & { file: string; heads: { file: string | null }[] }>(finished);
    expect(result).toMatchObject({ images: 10, splits: { train: 6, val: 4 }, classes: ['across', 'down'] });
    const told = [
      'Folders are read as splits: seg_train as train.',
      `test has no labels: its 2 images lie in no class folder (0.png, 1.png). It is left out; train and val are used. A head can label them: permafrost predict HEAD-FILE ${join(dataset, 'test')}`,
      'Left out 1 hidden or system folder: valid/down/@eaDir.',
    ];
    const stored = JSON.parse(readFileSync(join(store, 'results.json'), 'utf8')) as ExtractResult;
    for (const warning of told) {
      expect(result.warnings).toContain(warning);
      expect(finished.stderr).toContain(warning);
      expect(stored.warnings).toContain(warning);
    }
    const head = result.heads.find(({ file }) => file !== null)!.file!;
    const answers = document<PredictResult>(await permafrost(['predict', head, join(dataset, 'test'), '--json']));
    expect(answers.predictions.map(({ guess }) => guess)).toEqual(['down', 'down']);

    const again = refused(await permafrost(['run', store, '--json']));
    expect(again).toContain(`${store} is a store of features, not a data set of images.`);
    expect(again).toContain(`give ${dataset}.`);
  });
});

describe('what is no data set', () => {
  it('is refused with the class that is empty', async () => {
    const notimg = writeTree(join(root, 'notimg'), { 'a/notes.txt': 'x', 'b/1.jpg': 'x' });
    expect(refused(await permafrost(['run', notimg, '--json']))).toMatch(
      /has one class \(b\).*Folders without an image, which are no class: a\./,
    );
  });

  it('is refused with what can be done, where it is flat', async () => {
    const flat = writeTree(join(root, 'flat'), { '1.jpg': 'x', '2.jpg': 'x' });
    expect(refused(await permafrost(['run', flat, '--json']))).toMatch(/To train, move each image into a sub-folder/);
  });

  it('is refused with line and byte, where a list is of another encoding', async () => {
    const list = join(root, 'win.csv');
    writeFileSync(list, Buffer.from('path,label\na.jpg,M\xfcller\nb.jpg,M\xf6ller\n', 'latin1'));
    expect(refused(await permafrost(['extract', list, '--json']))).toMatch(/line 2: the byte 0xFC at offset 18/);
  });
});

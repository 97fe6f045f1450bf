import { renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import type { PredictResult } from '../../src/results/answer-results.ts';
import { imageTree } from '../../src/extract/dataset/image-tree.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders, writeTree } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { tarOfFiles } from '../support/tar-files.ts';

const folder = temporaryFolders();
const CHEAP = ['--engine', 'onnxruntime', '--precision', 'fp32', '--cut', 'block1_pool:avg'];
let images: Record<string, Buffer>;

beforeAll(async () => {
  const root = await stripedDataset(join(folder(), 'Stripes'), 6, 3);
  const found = await imageTree(root).imagesBelow('', ['Train', 'Val']);
  images = Object.fromEntries(
    await Promise.all(
      [...found.images.values()].flat().map(async (path) => [path, await readFile(join(root, path))] as const),
    ),
  );
});

describe('the program on archives', () => {
  it('extracts, trains, reports and predicts without unpacking one', async () => {
    const cwd = writeTree(folder(), { 'stripes.tar': tarOfFiles(images) });
    const extracted = await permafrost(['extract', 'stripes.tar', ...CHEAP, '--json'], { cwd });
    expect(extracted).toMatchObject({ code: 0 });
    expect(document<ExtractResult>(extracted)).toMatchObject({
      dataset: join(cwd, 'stripes.tar'),
      store: join(cwd, 'stripes.permafrost'),
      extracted: 18,
      splits: { train: 12, val: 6 },
    });
    expect(
      await permafrost(['train', 'stripes.permafrost', '--pooling', 'avg', '--out', 'h.safetensors'], { cwd }),
    ).toMatchObject({ code: 0 });
    const report = await permafrost(['report', 'stripes.permafrost'], { cwd });
    expect(report).toMatchObject({ code: 0 });
    expect(report.stdout).toContain('18 pictures');
    const predicted = document<PredictResult>(
      await permafrost(['predict', 'h.safetensors', 'stripes.tar', '--json'], { cwd }),
    );
    expect(predicted.predictions).toHaveLength(18);
    expect(predicted.predictions[0]).toMatchObject({ path: 'stripes.tar/Train/across/0.png', guess: 'across' });
  });

  it('refuses a damaged one in one line, and tells of one that is gone', async () => {
    const cwd = writeTree(folder(), {
      'cut.tar': tarOfFiles(images).subarray(0, 5000),
      's-0.tar': tarOfFiles(images),
    });
    const cut = await permafrost(['extract', 'cut.tar', ...CHEAP], { cwd });
    expect(cut).toMatchObject({ code: 1, stdout: '' });
    expect(cut.stderr).toMatch(/cut\.tar is damaged or cut off at byte \d+ of 5000: .*\[ARCHIVE_CORRUPT\]\n$/);
    expect(await permafrost(['extract', 's-{0..0}.tar', ...CHEAP], { cwd })).toMatchObject({ code: 0 });
    renameSync(join(cwd, 's-0.tar'), join(cwd, 'gone.tar'));
    const gone = await permafrost(['extract', 's-{0..0}.tar', ...CHEAP], { cwd });
    expect(gone.code).toBe(1);
    expect(gone.stderr).toMatch(/s-0\.tar cannot be read: ENOENT.*\[DATASET_NOT_FOUND\]/);
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findDataset } from '../../../src/workflows/network/find-dataset.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';

const folder = temporaryFolders();

describe('where a data set is to be', () => {
  it("another program's manifest.json does no harm", async () => {
    const root = writeTree(folder(), { 'cat/1.jpg': '', 'dog/1.jpg': '', 'manifest.json': '{"name":"app"}' });
    expect((await findDataset(root)).samples).toHaveLength(2);
  });

  it('a list is refused of which no image is there, with the place of the first', async () => {
    const root = writeTree(folder(), { 'list.csv': 'path,label\nimages/a.jpg,ant\nimages/b.jpg,bee\n' });
    const { message } = await rejection(findDataset(join(root, 'list.csv')), 'DATASET_NOT_FOUND');
    expect(message).toMatch(/None of the 2 images that .*list\.csv names is there/);
    expect(message).toContain(join(root, 'images/a.jpg'));
  });

  it('a list is taken of which some images are there', async () => {
    const root = writeTree(folder(), { 'list.csv': 'path,label\na.jpg,ant\nb.jpg,bee\n', 'b.jpg': '' });
    expect((await findDataset(join(root, 'list.csv'))).samples).toHaveLength(2);
  });
});

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { requireOwnFolder } from '../../../../src/workflows/export/web/own-folder.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../../support/folders.ts';

const folder = temporaryFolders();

it('replaces a folder that is not there, is empty or holds an exported page, and nothing else', async () => {
  await requireOwnFolder(join(folder(), 'nowhere'));
  await requireOwnFolder(folder());
  await requireOwnFolder(writeTree(folder(), { 'model.json': '{"format":"permafrost-web"}', 'index.html': '' }));
  for (const files of [{ 'photo.jpg': '' }, { 'model.json': '{"format":"other"}' }, { 'model.json': 'no JSON' }]) {
    const found = writeTree(folder(), files);
    const { message } = await rejection(requireOwnFolder(found), 'STORE_WRITE');
    expect(message).toContain(`${found} holds something that no export wrote (${Object.keys(files)[0]})`);
  }
  const file = join(writeTree(folder(), { site: 'a file' }), 'site');
  await rejection(requireOwnFolder(file), 'STORE_WRITE');
});

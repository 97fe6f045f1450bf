import { readFile, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { POOLINGS, type Pooling } from '../../src/core/sample.ts';
import type { Manifest } from '../../src/store/manifest.ts';
import { loadFeatures, readSamples, setRows } from '../../src/store/reader.ts';
import { commitDataset, openForWriting, setFor } from '../../src/store/store.ts';
import { featureWriter } from '../../src/store/writer.ts';
import { textWith } from '../support/errors.ts';
import { temporaryFolders } from '../support/folders.ts';
import { ENGINE, featuresOf, settingsWith, storedRow, WIDTHS } from '../support/stored-rows.ts';

const temporaryFolder = temporaryFolders();

/** A store with one shard of three rows, committed. */
async function smallStore(): Promise<{ store: string; manifest: Manifest }> {
  const store = join(temporaryFolder(), 'store');
  const manifest = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, settingsWith(), ENGINE, WIDTHS);
  const rows = [storedRow('a.jpg'), storedRow('b.jpg'), storedRow('c.jpg', { split: 'val' })];
  const writer = featureWriter({ store, manifest, set, expectedRows: rows.length });
  await writer.append(featuresOf(rows));
  await writer.seal();
  await commitDataset(store, manifest, { root: '/pictures', set, samples: rows, failures: [] });
  return { store, manifest };
}

/** Reads all that the store holds in one of its kinds of file. */
async function readKind(store: string, manifest: Manifest, kind: Pooling | 'rows' | 'samples') {
  if (kind === 'samples') return readSamples(store, manifest);
  if (kind !== 'rows') return loadFeatures(store, manifest, kind, ['train', 'val']);
  const rows = [];
  for await (const row of setRows(store, manifest.sets[0]!)) rows.push(row);
  return rows;
}

function fileOf(manifest: Manifest, kind: Pooling | 'rows' | 'samples'): string {
  return kind === 'samples' ? manifest.dataset.samples!.name : manifest.sets[0]!.shards[0]!.files[kind].name;
}

describe.each(['rows', 'samples', ...POOLINGS] as const)('a damaged file of the kind %s', (kind) => {
  it('is refused with STORE_CORRUPT and its name, whatever bit is flipped', async () => {
    const { store, manifest } = await smallStore();
    const path = join(store, fileOf(manifest, kind));
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Uint8Array.from(whole);
      damaged[at]! ^= 1 << (at % 8);
      await writeFile(path, damaged);
      await expect(readKind(store, manifest, kind)).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: textWith(path),
      });
    }
    await writeFile(path, whole);
    await expect(readKind(store, manifest, kind)).resolves.toBeDefined();
  });

  it('is refused where it is cut short, and where it is gone', async () => {
    const { store, manifest } = await smallStore();
    const path = join(store, fileOf(manifest, kind));
    await truncate(path, 100);
    await expect(readKind(store, manifest, kind)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await unlink(path);
    await expect(readKind(store, manifest, kind)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: textWith(path),
    });
  });
});

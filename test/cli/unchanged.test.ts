import { readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import type { VerifyResult } from '../../src/results/store-results.ts';
import { openStore } from '../../src/store/open.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = temporaryFolders();

it('an unchanged image is not read again, an edited one is extracted, a renamed one is reused under its new label', async () => {
  const dataset = await stripedDataset(join(folder(), 'Stripes'), 4, 2);
  const store = join(folder(), 'store');
  const run = async (...flags: string[]) => {
    const finished = await permafrost(['extract', dataset, '--store', store, '--json', ...flags]);
    expect(finished).toMatchObject({ code: 0 });
    const { extracted, reused, unread } = document<ExtractResult>(finished);
    return { extracted, reused, unread, notes: finished.stderr };
  };
  // What lies behind a picture's end no decoder reads.
  const edited = join(dataset, 'Train/across/0.png');
  const png = readFileSync(edited);
  writeFileSync(edited, Buffer.concat([png, Buffer.from('BEFOR')]));
  // Files that were changed a moment ago are never taken by their times.
  expect(await run()).toMatchObject({ extracted: 12, reused: 0, unread: 0 });
  await sleep(2100);
  expect(await run('--verify')).toMatchObject({ extracted: 0, reused: 12, unread: 0 });
  expect(await run()).toMatchObject({ extracted: 0, reused: 12, unread: 12 });
  expect(await run('--verify')).toMatchObject({ extracted: 0, reused: 12, unread: 0 });

  // Edited so that size and modification time stay: the time of change, which nobody can set, gives it away.
  const { atime, mtime } = statSync(edited);
  writeFileSync(edited, Buffer.concat([png, Buffer.from('AFTER')]));
  utimesSync(edited, atime, mtime);
  expect(await run()).toMatchObject({ extracted: 1, reused: 11, unread: 11 });

  renameSync(join(dataset, 'Train/across/2.png'), join(dataset, 'Train/down/moved.png'));
  expect(await run()).toMatchObject({ extracted: 0, reused: 12 });
  const labels = Array.from(await (await openStore(store)).samples(), ({ path, label }) => `${path} ${label}`);
  expect(labels).toContain('Train/down/moved.png down');
  expect(labels.join()).not.toContain('across/2.png');

  // What is remembered is checked as everything else: a flipped byte is named, costs time, and is mended by the next
  // run.
  const times = join(store, 'file-times.safetensors');
  const damaged = readFileSync(times);
  damaged[damaged.length - 40]! ^= 1;
  writeFileSync(times, damaged);
  const found = document<VerifyResult>(await permafrost(['verify', store, '--json']));
  expect(found.damaged.map(({ name }) => name)).toEqual(['file-times.safetensors']);
  const told = await run();
  expect(told).toMatchObject({ extracted: 0, reused: 12, unread: 0 });
  expect(told.notes).toContain('file-times.safetensors is not what was written');
  expect(document<VerifyResult>(await permafrost(['verify', store, '--json'])).ok).toBe(true);
});

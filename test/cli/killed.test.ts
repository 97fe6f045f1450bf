import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { readManifest } from '../../src/store/format/manifest-file.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { filesOf } from '../support/stores.ts';

const folder = temporaryFolders();

/** Shards that the manifest in `store` names; it must be readable whenever it is there. */
function shardsOf(store: string): number {
  const path = join(store, 'manifest.json');
  if (!existsSync(path)) return 0;
  const { sets } = JSON.parse(readFileSync(path, 'utf8')) as { sets: { shards: unknown[] }[] };
  return sets.reduce((sum, { shards }) => sum + shards.length, 0);
}

it('an extraction that is killed twice and started again gives the store of one that was not, to the byte', async () => {
  const dataset = await stripedDataset(join(folder(), 'Stripes'), 5, 3);
  // A row of block1_pool fills a shard of 1 MiB by itself; one image an inference, so that each is computed alike.
  const flags = ['--cut', 'block1_pool', '--batch', '1', '--shard-megabytes', '1', '--json', '--quiet'];
  const extract = (store: string, during?: Parameters<typeof permafrost>[1]) =>
    permafrost(['extract', dataset, '--store', store, ...flags], during);

  const whole = join(folder(), 'store');
  expect(document<ExtractResult>(await extract(whole))).toMatchObject({ extracted: 16, failed: [] });

  const store = join(folder(), 'store');
  for (const enough of [2, 5]) {
    const { code, stdout } = await extract(store, {
      during: (child) => {
        void (async () => {
          while (shardsOf(store) < enough && child.exitCode === null) await sleep(5);
          child.kill('SIGKILL');
        })();
      },
    });
    expect({ code, stdout }).toEqual({ code: null, stdout: '' });
    expect((await readManifest(store)).sets[0]!.shards.length).toBeGreaterThanOrEqual(enough);
  }
  const kept = shardsOf(store);
  expect(kept).toBeLessThan(16);
  expect(document<ExtractResult>(await extract(store))).toMatchObject({ extracted: 16 - kept, reused: kept });
  // But for what is remembered of the images' times: how long ago each was written when it was read.
  // Sketches of a killed run are lost: `check` makes them when it needs them.
  const { 'file-times.safetensors': a, 'sketches.safetensors': some, ...found } = filesOf(store);
  const { 'file-times.safetensors': b, 'sketches.safetensors': sketches, ...expected } = filesOf(whole);
  expect([typeof some, typeof sketches]).toEqual(['string', 'string']);
  expect([typeof a, typeof b]).toEqual(['string', 'string']);
  expect(found).toEqual(expected);
});

import { mkdtempSync, rmSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { document, permafrost } from '../support/command.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'permafrost-interrupt-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface ShardList {
  readonly sets: readonly { readonly shards: readonly { readonly rows: number }[] }[];
}

/** Rows that the manifest in `store` names. */
function sealedRows(store: string): number {
  const manifest = join(store, 'manifest.json');
  if (!existsSync(manifest)) return 0;
  const { sets } = JSON.parse(readFileSync(manifest, 'utf8')) as ShardList;
  return sets.flatMap(({ shards }) => shards).reduce((sum, { rows }) => sum + rows, 0);
}

it('ends on Ctrl-C with 130, keeps what was extracted, and goes on from there', async () => {
  const dataset = await stripedDataset(join(folder, 'Long'), 30, 10);
  const store = join(folder, 'store');
  // Shards of 1 MiB hold 20 rows, batches of 4 images keep the wait for the one in flight short.
  const args = ['extract', dataset, '--store', store, '--batch', '4', '--shard-megabytes', '1'];
  const stopped = await permafrost(args, {
    during: (child) => {
      void (async () => {
        while (sealedRows(store) === 0 && child.exitCode === null) await sleep(50);
        child.kill('SIGINT');
      })();
    },
  });
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toMatch(/which are kept\. Run the same command again/);
  const kept = sealedRows(store);
  expect(kept).toBeGreaterThanOrEqual(20);
  expect(kept).toBeLessThan(80);
  expect(readdirSync(store).filter((name) => name.endsWith('.tmp'))).toEqual([]);

  const result = document<ExtractResult>(await permafrost([...args, '--json']));
  expect(result).toMatchObject({ extracted: 80 - kept, reused: kept, failed: [] });
});

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { document, permafrost } from '../support/command.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
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

const hasScript = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasScript)('a terminal that closes (needs script of util-linux)', () => {
  /** Extracts on a terminal, which closes when some rows are sealed; gives the exit code, and the images it had. */
  async function extractOnTerminal(store: string, before: string): Promise<{ code: number; images: number }> {
    const dataset = await stripedDataset(join(folder, 'Short'), 16, 4);
    // A row of block1_pool fills a shard of 1 MiB by itself.
    const flags = ['--cut', 'block1_pool', '--batch', '1', '--shard-megabytes', '1'];
    const codeFile = `${store}.code`;
    const words = [process.execPath, MAIN, 'extract', dataset, '--store', store, ...flags].map((one) => `'${one}'`);
    // The shell hears of the terminal too, and must live to tell the exit code.
    const line = `trap : HUP; ${before} ${words.join(' ')}; echo $? > '${codeFile}.part'; mv '${codeFile}.part' '${codeFile}'`;
    const terminal = spawn('script', ['-qec', line, '/dev/null'], {
      stdio: 'ignore',
      env: { ...process.env, SHELL: '/bin/bash' },
    });
    while (sealedRows(store) === 0 && !existsSync(codeFile)) await sleep(20);
    terminal.kill('SIGKILL');
    while (!existsSync(codeFile)) await sleep(50);
    return { code: Number(readFileSync(codeFile, 'utf8')), images: sealedRows(store) };
  }

  it('ends as Ctrl-C does: what was extracted is sealed, and no lock stays', async () => {
    const store = join(folder, 'terminal');
    const { code, images } = await extractOnTerminal(store, '');
    expect(code).toBe(130);
    expect(images).toBeGreaterThan(0);
    expect(images).toBeLessThan(40);
    expect(readdirSync(store).filter((name) => name.endsWith('.tmp') || name === 'writer.lock')).toEqual([]);
  });

  it('ends nothing under nohup', async () => {
    const { code, images } = await extractOnTerminal(join(folder, 'nohup'), 'nohup');
    expect({ code, images }).toEqual({ code: 0, images: 40 });
  });
});

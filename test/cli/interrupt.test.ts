import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { filesOf } from '../support/stores.ts';

const folder = temporaryFolders();
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const CLOCK = pathToFileURL(fileURLToPath(new URL('../support/fast-clock.mjs', import.meta.url))).href;
const IMAGES = 12;
/** The files of kept rows that are there when the signal comes, of one image each. */
const KEPT = 3;

let dataset: string;
/** All images lie in one shard; an image an inference, so that each is computed alike. */
const extract = (store: string, options?: Parameters<typeof permafrost>[1]) =>
  permafrost(
    [
      ...['extract', dataset, '--store', store, '--engine', 'onnxruntime', '--cut', 'block1_pool:avg,block2_pool:max'],
      ...['--batch', '1', '--json', '--quiet'],
    ],
    options,
  );

/** But for what is remembered of the images' times, how long ago each was written, and the sketches of a killed run. */
function contentOf(store: string): Record<string, string> {
  const { 'file-times.safetensors': times, 'sketches.safetensors': sketches, ...content } = filesOf(store);
  expect([typeof times, typeof sketches]).toEqual(['string', 'string']);
  return content;
}

let whole: Record<string, string>;
beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Long'), IMAGES / 2 - 2, 2);
  const store = join(folder(), 'store');
  expect((await extract(store)).code).toBe(0);
  whole = contentOf(store);
});

describe('an extraction that is ended in the middle of a shard', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'])(
    'by %s keeps what was extracted, and gives the store of one that was not when it goes on',
    async (signal) => {
      const store = join(folder(), 'store');
      const env = { RAISE_AT_KEPT: `${KEPT} ${signal}` };
      const { code, stderr } = await extract(store, { node: ['--import', CLOCK], env });
      expect(code).toBe(signal === 'SIGKILL' ? null : 130);
      if (signal !== 'SIGKILL') expect(stderr).toMatch(/which are kept\. Run the same command again/);
      expect(readdirSync(store).filter((name) => name.endsWith('-rows.arrow'))).toEqual([]);
      const { extracted, reused } = document<ExtractResult>(await extract(store));
      expect(extracted + reused).toBe(IMAGES);
      // A kill left one of two sets a row behind the other.
      expect(reused).toBeGreaterThanOrEqual((KEPT - 1) / 2);
      expect(extracted).toBeGreaterThan(0);
      expect(contentOf(store)).toEqual(whole);
    },
  );
});

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

const hasScript = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasScript)('a terminal that closes (needs script of util-linux)', () => {
  /** Extracts on a terminal, which closes when some rows are sealed; gives the exit code, and the images it had. */
  async function extractOnTerminal(store: string, before: string): Promise<{ code: number; images: number }> {
    const dataset = await stripedDataset(join(folder(), 'Short'), 16, 4);
    // A row of block1_pool fills a shard of 1 MiB by itself.
    const flags = ['--cut', 'block1_pool', '--batch', '1', '--shard-megabytes', '1'];
    const codeFile = `${store}.code`;
    const words = [process.execPath, MAIN, 'extract', dataset, '--store', store, ...flags].map((one) => `'${one}'`);
    // As shells do, this one passes on that the terminal closes; and lives to tell the exit code.
    const line = `trap 'kill -HUP $child' HUP; ${before} ${words.join(' ')} & child=$!; wait $child; wait $child; echo $? > '${codeFile}.part'; mv '${codeFile}.part' '${codeFile}'`;
    // nohup writes into a file of the current folder.
    const terminal = spawn('script', ['-qec', line, '/dev/null'], {
      cwd: dirname(store),
      stdio: 'ignore',
      env: { ...process.env, SHELL: '/bin/bash' },
    });
    while (sealedRows(store) === 0 && !existsSync(codeFile)) await sleep(20);
    terminal.kill('SIGKILL');
    while (!existsSync(codeFile)) await sleep(50);
    return { code: Number(readFileSync(codeFile, 'utf8')), images: sealedRows(store) };
  }

  it('ends as Ctrl-C does: what was extracted is sealed, and no lock stays', async () => {
    const store = join(folder(), 'terminal');
    const { code, images } = await extractOnTerminal(store, '');
    expect(code).toBe(130);
    expect(images).toBeGreaterThan(0);
    expect(images).toBeLessThan(40);
    expect(readdirSync(store).filter((name) => name.endsWith('.tmp') || name === 'writer.lock')).toEqual([]);
  });

  it('ends nothing under nohup', async () => {
    const { code, images } = await extractOnTerminal(join(folder(), 'nohup'), 'nohup');
    expect({ code, images }).toEqual({ code: 0, images: 40 });
  });
});

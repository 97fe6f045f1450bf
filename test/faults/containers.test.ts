import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { verify as VerifyCommand } from '../../src/workflows/care/verify.ts';
import { built } from '../support/built.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const { verify } = await built<{ readonly verify: typeof VerifyCommand }>('workflows/care/verify.js');
const folder = temporaryFolders();
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const HOLD = pathToFileURL(fileURLToPath(new URL('../support/hold-at-rename.mjs', import.meta.url))).href;

/** A container as far as a lock can tell: processes numbered from 1 on, and the host's name. */
const CONTAINER = ['--pid', '--fork', '--mount-proc', '--kill-child', '--uts'];
const { status, error, stderr } = spawnSync('unshare', [...CONTAINER, 'true'], { encoding: 'utf8' });
const whyNot = status === 0 ? undefined : (error?.message ?? stderr.trim());

/** Runs the built program in a container of its own. */
async function inContainer(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn('unshare', [...CONTAINER, process.execPath, MAIN, ...args, '--quiet'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr: errors };
}

describe.skipIf(whyNot !== undefined)(
  whyNot === undefined ? 'two containers of one host name' : `two containers of one host name [skipped: ${whyNot}]`,
  () => {
    it.each(['-rows.arrow', '-00000.json', 'manifest.json'])(
      'that extract into one store: who stood still before it published %s is told that it lost the lock',
      async (at) => {
        const root = folder();
        const store = join(root, 'store');
        const [few, more] = [
          await stripedDataset(join(root, 'few'), 2, 1),
          await stripedDataset(join(root, 'more'), 3, 1),
        ];
        const extract = (dataset: string): string[] => [
          ...[
            'extract',
            dataset,
            '--store',
            store,
            '--engine',
            'onnxruntime',
            '--cut',
            'block1_pool:avg',
            '--batch',
            '2',
          ],
        ];
        const [until, held] = [join(root, 'go on'), join(root, 'held')];
        const env = { NODE_OPTIONS: `--import=${HOLD}`, HOLD_AT: at, HOLD_UNTIL: until, HELD: held };
        const first = inContainer(extract(few), env);
        while (!existsSync(held)) await sleep(20);
        const refused = await inContainer(extract(more));
        expect(refused.code).toBe(1);
        expect(refused.stderr).toMatch(/by process 1 \(permafrost extract\).*another container.*\[STORE_LOCKED\]/);
        expect((await inContainer([...extract(more), '--take-over'])).code).toBe(0);
        const before = await verify(store);
        writeFileSync(until, '');
        const late = await first;
        expect(late.code).toBe(1);
        expect(late.stderr).toMatch(/has lost its lock of .*\[STORE_LOCKED\]/);
        const after = await verify(store);
        expect(after).toEqual(before);
        expect([after.ok, after.orphans]).toEqual([true, []]);
      },
    );
  },
);

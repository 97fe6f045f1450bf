import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Split } from '../../src/core/sample.ts';
import { temporaryFolders } from '../support/folders.ts';
import { storedRow } from '../support/stored-rows.ts';
import { fillStore } from '../support/stores.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = temporaryFolders();
const onLinux = process.platform === 'linux';

const ROWS = ['train', 'train', 'val'].flatMap((split, i) =>
  ['ant', 'bee'].map((label) => storedRow(`${label}/${i}.jpg`, { label, split: split as Split })),
);

/** Where a stream of a command leads: `gone` is a pipe of which nobody reads. */
type Stream = 'gone' | 'closed' | 'full' | 'read';

/** Runs a command by the shell, which can close streams, and gives its exit code and what could be read. */
async function command(args: readonly string[], { out = 'read', err = 'read' }: { out?: Stream; err?: Stream }) {
  const leads = (number: 1 | 2, to: Stream): string =>
    ({ closed: ` ${number}>&-`, full: ` ${number}>/dev/full` })[to as 'full'] ?? '';
  const script = `exec "$@"${leads(1, out)}${leads(2, err)}`;
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  if (out === 'gone') child.stdout.destroy();
  else child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  if (err === 'gone') child.stderr.destroy();
  else child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...said };
}

let whole: string;
let damaged: string;
beforeAll(async () => {
  [whole, damaged] = [folder(), folder()];
  for (const store of [whole, damaged]) await fillStore(store, ROWS);
  const file = join(
    damaged,
    readdirSync(damaged).find((name) => name.endsWith('-avg.arrow'))!,
  );
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
});

describe('standard output', () => {
  it.each(['gone', 'closed'] as const)('that is %s changes no exit code', async (out) => {
    expect((await command(['verify', damaged], { out })).code).toBe(1);
    expect((await command(['verify', whole], { out })).code).toBe(0);
    expect((await command(['inspect', join(whole, 'nowhere')], { out })).code).toBe(1);
    expect((await command(['inspect'], { out })).code).toBe(2);
    expect((await command(['--help'], { out })).code).toBe(0);
  });

  it.skipIf(!onLinux)('on a full disk makes a success a failure, and says so (needs /dev/full)', async () => {
    const { code, stderr } = await command(['inspect', whole], { out: 'full' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/standard output cannot be written: ENOSPC/);
    expect((await command(['inspect', '--json', join(whole, 'nowhere')], { out: 'full' })).code).toBe(1);
  });
});

describe('standard error', () => {
  it.each(['gone', 'closed', ...(onLinux ? (['full'] as const) : [])] as const)(
    'that is %s ends no command, and changes neither its answer nor its exit code',
    async (err) => {
      const expected = await command(['train', whole, '--head', 'centroid', '--json'], {});
      expect(expected.stderr).not.toBe('');
      const found = await command(['train', whole, '--head', 'centroid', '--json'], { err });
      expect(found.code).toBe(expected.code);
      expect(found.code).toBe(0);
      expect(Object.keys(JSON.parse(found.stdout) as object)).toEqual(
        Object.keys(JSON.parse(expected.stdout) as object),
      );
      expect((await command(['verify', damaged], { err })).code).toBe(1);
      expect((await command(['inspect', join(whole, 'nowhere')], { err })).code).toBe(1);
    },
  );
});

describe('too few open files', () => {
  it.skipIf(!onLinux).each([24, 48, 64, 96])('are said in words: %i (needs Linux)', async (limit) => {
    const script = `ulimit -n ${limit}; exec "$@"`;
    const child = spawn('bash', ['-c', script, 'bash', process.execPath, MAIN, 'train', whole], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    expect(stderr).toMatch(/more files open.*ulimit -n 1024/);
    expect(stderr).not.toMatch(/INTERNAL|\n\s+at /);
    expect(existsSync(join(whole, 'writer.lock'))).toBe(false);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { LOCK_NAME } from '../../src/store/format/lock/lock-file.ts';
import { permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { named, fillStore } from '../support/stores.ts';

const folder = temporaryFolders();
const SCRIPT = fileURLToPath(new URL('../support/lock-writer.mjs', import.meta.url));
const dist = pathToFileURL('dist').href;

/** A store with the lock of a process of another machine, just written. */
async function lockedStore(): Promise<string> {
  const store = folder();
  await fillStore(store, named(4));
  const owner = { token: 'x', pid: 1, began: '1', host: 'elsewhere', boot: 'b', namespace: 'n', beatMs: 10_000 };
  const text = JSON.stringify({ ...owner, since: '2026-01-01T00:00:00.000Z', command: 'permafrost extract' });
  writeFileSync(join(store, LOCK_NAME), text);
  return store;
}

describe('--take-over', () => {
  it('is a flag of every command that writes to a store, and of no other', () => {
    const have = COMMANDS.filter(({ options }) => 'takeOver' in options).map(({ name }) => name);
    expect(have.toSorted()).toEqual(
      'extract finetune gc merge migrate neighbors plan repair run studio'.split(' ').toSorted(),
    );
  });

  it.each(['migrate', 'gc', 'repair'])(
    'lets %s take over the lock of a machine that is gone, and says so',
    async (name) => {
      const store = await lockedStore();
      const refused = await permafrost([name, store]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/on elsewhere \(permafrost extract\).*--take-over.*\[STORE_LOCKED\]/);
      expect(readdirSync(store)).toContain(LOCK_NAME);
      const taken = await permafrost([name, store, '--take-over']);
      expect(taken.stderr).toMatch(/The lock of process 1 on elsewhere \(permafrost extract\).*is taken over/);
      expect(taken.stderr).not.toContain('STORE_LOCKED');
      expect(readdirSync(store)).not.toContain(LOCK_NAME);
    },
  );

  it('does not take over the lock of a process that lives here', async () => {
    const store = folder();
    await fillStore(store, named(4));
    const child = spawn(process.execPath, [SCRIPT, JSON.stringify({ dist, store })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const { code, stderr } = await permafrost(['gc', store, '--take-over']);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`process ${child.pid} \\(test\\).*\\[STORE_LOCKED\\]`));
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('is refused where no lock is taken: for a part of a plan', async () => {
    const { code, stderr } = await permafrost(['extract', '--plan', folder(), '--part', '1/1', '--take-over']);
    expect(code).toBe(2);
    expect(stderr).toContain('--take-over cannot be given with --plan');
  });
});

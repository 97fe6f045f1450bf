import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LOCK_NAME, lockStore } from '../../../src/store/write/lock.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
const LOCK = pathToFileURL('dist/store/write/lock.js').href;

/** A process that takes the lock of each store that it reads from stdin, tells how that went, and keeps it. */
function writerProcess(store: string) {
  const script = `import { lockStore } from ${JSON.stringify(LOCK)};
    const said = await lockStore(${JSON.stringify(store)}, 'test').then(() => 'locked', (error) => error.code);
    console.log(said);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = new Promise<string>((resolve) =>
    child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim())),
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid!,
    said,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const ownerWith = (given: object): string =>
  JSON.stringify({
    token: 'x',
    pid: 1,
    began: null,
    host: hostname(),
    since: '2026-01-01T00:00:00.000Z',
    command: 'permafrost extract',
    ...given,
  });

describe('the lock of a store', () => {
  it('is held by one writer, and free again when that one has released it', async () => {
    const store = join(folder(), 'new/store');
    const lock = await lockStore(store, 'permafrost extract');
    const { message } = await rejection(lockStore(store, 'permafrost gc'), 'STORE_LOCKED');
    expect(message).toContain(`process ${process.pid} (permafrost extract)`);
    await lock.release();
    expect(readdirSync(store)).toEqual([]);
    await (await lockStore(store, 'permafrost gc')).release();
  });

  it('names the other process that holds it, and is taken over when that one was killed', async () => {
    const store = folder();
    const other = writerProcess(store);
    expect(await other.said).toBe('locked');
    const { message } = await rejection(lockStore(store, 'test'), 'STORE_LOCKED');
    expect(message).toContain(`process ${other.pid}`);
    await other.kill();
    expect(existsSync(join(store, LOCK_NAME))).toBe(true);
    const lock = await lockStore(store, 'test');
    await lock.release();
    expect(readdirSync(store)).toEqual([]);
  });

  it('goes to exactly one of several processes that find a dead one', async () => {
    const store = folder();
    // No process has a pid above 2^22 (proc(5), pid_max).
    writeFileSync(join(store, LOCK_NAME), ownerWith({ pid: 2 ** 22 + 1 }));
    const writers = Array.from({ length: 4 }, () => writerProcess(store));
    const said = await Promise.all(writers.map((writer) => writer.said));
    await Promise.all(writers.map((writer) => writer.kill()));
    expect(said.sort()).toEqual(['STORE_LOCKED', 'STORE_LOCKED', 'STORE_LOCKED', 'locked']);
  });

  it.skipIf(!existsSync('/proc/self/stat'))(
    'of a dead process whose number was given to another is taken over (needs /proc)',
    async () => {
      const store = folder();
      writeFileSync(join(store, LOCK_NAME), ownerWith({ pid: process.pid, began: '1' }));
      await (await lockStore(store, 'test')).release();
    },
  );

  it('of another machine is left alone, whatever that machine does', async () => {
    const store = folder();
    const text = ownerWith({ host: 'elsewhere', pid: 2 ** 22 + 1 });
    writeFileSync(join(store, LOCK_NAME), text);
    const { message } = await rejection(lockStore(store, 'test'), 'STORE_LOCKED');
    expect(message).toMatch(/on elsewhere.*delete .*writer\.lock/);
    expect(readFileSync(join(store, LOCK_NAME), 'utf8')).toBe(text);
  });

  it('that is damaged is not guessed about', async () => {
    const store = folder();
    writeFileSync(join(store, LOCK_NAME), '{"pid":');
    const { message } = await rejection(lockStore(store, 'test'), 'STORE_LOCKED');
    expect(message).toContain('names no writer');
  });

  it('cannot be had where the store is a file', async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    await rejection(lockStore(path, 'test'), 'STORE_WRITE');
  });

  it('that was taken over in the meantime is not removed by its former owner', async () => {
    const store = folder();
    const lock = await lockStore(store, 'test');
    writeFileSync(join(store, LOCK_NAME), ownerWith({ token: 'of another' }));
    await lock.release();
    expect(existsSync(join(store, LOCK_NAME))).toBe(true);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writeFileAtomic } from '../../../src/store/format/atomic-file.ts';
import { LOCK_NAME } from '../../../src/store/format/lock/lock-file.ts';
import { LOCK_RULES } from '../../../src/store/write/lock-rules.ts';
import { isLocked, lockStore, type LockRequest } from '../../../src/store/write/lock.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
const SCRIPT = fileURLToPath(new URL('../../support/lock-writer.mjs', import.meta.url));
const dist = pathToFileURL('dist').href;
/** Signs of life that tests can wait for. */
const QUICK = { beatMs: 50, leftBehindMs: 700 };
const ELSEWHERE = { ...QUICK, self: { host: 'elsewhere' } };

interface Given {
  readonly request?: LockRequest;
  readonly settings?: object;
  readonly noLinks?: boolean;
  readonly host?: string;
  readonly shiftMs?: number;
  readonly stopAt?: { readonly way: 'to' | 'from'; readonly name: string };
}

/** A process that takes the lock of a store, tells how that went, and keeps it. */
function writerProcess(store: string, given: Given = {}, program: readonly string[] = []) {
  const [command, ...args] = [...program, process.execPath, SCRIPT, JSON.stringify({ dist, store, ...given })];
  const child = spawn(command ?? '', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const line = await lines.next();
    return (line.done ? { said: 'ended' } : JSON.parse(line.value)) as {
      said: string;
      message?: string;
      notes?: string[];
    };
  };
  const first = answer();
  const ended = once(child, 'exit');
  return {
    pid: child.pid!,
    first,
    said: first.then(({ said }) => said),
    tell(line: string) {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    signal: (name: NodeJS.Signals) => child.kill(name),
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

  it('of another machine and an older version, which gives no sign of life, is left alone however old', async () => {
    const store = folder();
    const text = ownerWith({ host: 'elsewhere', pid: 2 ** 22 + 1 });
    writeFileSync(join(store, LOCK_NAME), text);
    utimesSync(join(store, LOCK_NAME), 1, 1);
    const { message } = await rejection(lockStore(store, 'test'), 'STORE_LOCKED');
    expect(message).toMatch(/on elsewhere .*gives no sign of life.*--take-over/);
    expect(readFileSync(join(store, LOCK_NAME), 'utf8')).toBe(text);
    expect(await isLocked(store)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['half a line', '{"pid":'],
    ['zeros, as ext4 leaves a file that was not synced', '\0'.repeat(4096)],
    ['null', 'null'],
    ['a list', '[1, 2]'],
    ['a string', '"permafrost"'],
    ['an owner without a token', ownerWith({ token: undefined })],
    ['a number that no process has', ownerWith({ pid: -1 })],
    ['a number that no system has', ownerWith({ pid: 2 ** 40 })],
    ['the text of another program', '4711\n'],
    ['two lines', `${ownerWith({})}\n${ownerWith({})}\n`],
  ])('that holds %s is left alone until it is old, unless it is taken over by hand', async (_what, text) => {
    const store = folder();
    writeFileSync(join(store, LOCK_NAME), text);
    utimesSync(join(store, LOCK_NAME), Date.now() / 1000 - 5, Date.now() / 1000 - 5);
    const { message } = await rejection(lockStore(store, 'test'), 'STORE_LOCKED');
    expect(message).toContain('names no writer');
    const notes: string[] = [];
    utimesSync(join(store, LOCK_NAME), 1, 1);
    await (await lockStore(store, 'test', { note: (note) => notes.push(note) })).release();
    expect(notes.join()).toMatch(/names no writer: it is damaged, and \d+ minutes old\. It is taken over/);
    writeFileSync(join(store, LOCK_NAME), text);
    await (await lockStore(store, 'test', { takeOver: true })).release();
    expect(readdirSync(store)).toEqual([]);
  });

  it.each([
    ['a link that leads nowhere', (path: string) => symlinkSync('/nowhere', path), /is a symbolic link/],
    ['a link to a file', (path: string) => symlinkSync(SCRIPT, path), /is a symbolic link/],
    ['a folder', (path: string) => mkdirSync(path), /is a folder/],
  ])('in whose place %s stands is refused at once', async (_what, make, expected) => {
    const store = folder();
    make(join(store, LOCK_NAME));
    const started = performance.now();
    const { message } = await rejection(lockStore(store, 'test', { takeOver: true }), 'STORE_LOCKED');
    expect(message).toMatch(expected);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(readdirSync(store)).toEqual([LOCK_NAME]);
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

  it('is refused to who has lost it: nothing more is published, and the lock of the other stays', async () => {
    const store = folder();
    const lock = await lockStore(store, 'test');
    await writeFileAtomic(join(store, 'a'), [Buffer.from('x')]);
    writeFileSync(join(store, LOCK_NAME), ownerWith({ host: 'elsewhere', command: 'permafrost gc' }));
    const { message } = await rejection(writeFileAtomic(join(store, 'b'), [Buffer.from('x')]), 'STORE_LOCKED');
    expect(message).toMatch(/has lost its lock .*process 1 on elsewhere \(permafrost gc\)/);
    await lock.release();
    expect(readdirSync(store).sort()).toEqual(['a', LOCK_NAME]);
    await writeFileAtomic(join(store, 'b'), [Buffer.from('x')]); // who holds no lock is not asked
  });
});

describe('the lock of a process of another machine', () => {
  it('is held as long as that gives signs of life, and taken over when these are old, which is told', async () => {
    const store = folder();
    const other = writerProcess(store, { settings: ELSEWHERE });
    expect(await other.said).toBe('locked');
    await sleep(2 * QUICK.leftBehindMs);
    const { message } = await rejection(lockStore(store, 'test', {}, QUICK), 'STORE_LOCKED');
    expect(message).toMatch(
      /process \d+ on elsewhere \(test\).*last sign of life is 0 s old.*another machine.*counts as gone after 1 s.*--take-over/,
    );
    await other.kill();
    await rejection(lockStore(store, 'test', {}, QUICK), 'STORE_LOCKED');
    expect(await isLocked(store, QUICK)).toBe(true);
    await sleep(1.5 * QUICK.leftBehindMs);
    expect(await isLocked(store, QUICK)).toBe(false);
    const notes: string[] = [];
    const lock = await lockStore(store, 'test', { note: (note) => notes.push(note) }, QUICK);
    expect(notes.join()).toMatch(/^The lock of process \d+ on elsewhere .* is taken over: the last sign of life/);
    await lock.release();
    expect(readdirSync(store)).toEqual([]);
  });

  it('is taken over at once where that is asked for, but never one of a process that lives here', async () => {
    const store = folder();
    const other = writerProcess(store, { settings: { ...LOCK_RULES, self: { host: 'elsewhere' } } });
    expect(await other.said).toBe('locked');
    const notes: string[] = [];
    const lock = await lockStore(store, 'test', { takeOver: true, note: (note) => notes.push(note) });
    expect(notes.join()).toMatch(/^The lock of process \d+ on elsewhere .* as --take-over asks/);
    const third = await writerProcess(store, { request: { takeOver: true } }).first;
    expect(third).toMatchObject({ said: 'STORE_LOCKED' });
    expect(third.message).toContain(`process ${process.pid} (test)`);
    expect(await other.tell('write b')).toMatchObject({ said: 'STORE_LOCKED' });
    await lock.release();
    await other.kill();
  });

  it('that slept until another took over writes nothing more, and removes no lock but its own', async () => {
    const store = folder();
    const other = writerProcess(store, { settings: ELSEWHERE });
    expect(await other.said).toBe('locked');
    expect(await other.tell('write first')).toEqual({ said: 'done' });
    other.signal('SIGSTOP');
    await sleep(1.5 * QUICK.leftBehindMs);
    const lock = await lockStore(store, 'test', {}, QUICK);
    await writeFileAtomic(join(store, 'second'), [Buffer.from('x')]);
    other.signal('SIGCONT');
    const refused = await other.tell('write third');
    expect(refused.said).toBe('STORE_LOCKED');
    expect(refused.message).toContain(`process ${process.pid}`);
    expect(await other.tell('release')).toEqual({ said: 'done' });
    expect(readdirSync(store).sort()).toEqual(['first', 'second', LOCK_NAME]);
    await writeFileAtomic(join(store, 'fourth'), [Buffer.from('x')]);
    await lock.release();
    await other.kill();
  });

  it('goes to exactly one of several that find it left behind', async () => {
    const store = folder();
    const text = ownerWith({ host: 'elsewhere', boot: 'x', namespace: 'y', beatMs: 50 });
    writeFileSync(join(store, LOCK_NAME), text);
    utimesSync(join(store, LOCK_NAME), 1, 1);
    const writers = Array.from({ length: 4 }, () => writerProcess(store));
    const said = await Promise.all(writers.map((writer) => writer.said));
    await Promise.all(writers.map((writer) => writer.kill()));
    expect(said.sort()).toEqual(['STORE_LOCKED', 'STORE_LOCKED', 'STORE_LOCKED', 'locked']);
  });

  it('is judged by the clock of the disk: who has another clock changes nothing', async () => {
    const store = folder();
    const text = ownerWith({ host: 'elsewhere', boot: 'x', namespace: 'y', beatMs: 50 });
    writeFileSync(join(store, LOCK_NAME), text);
    const now = Date.now.bind(Date);
    Date.now = () => now() + 3_600_000;
    try {
      await rejection(lockStore(store, 'test'), 'STORE_LOCKED');
    } finally {
      Date.now = now;
    }
  });
});

/** Waits until a process has stopped itself. */
async function stopped(pid: number): Promise<void> {
  const state = (): string | undefined => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
  while (state() !== 'T') await sleep(10);
}

/** Makes what a process claims old: another one takes it for killed. */
function ageClaims(store: string): void {
  for (const name of readdirSync(store)) if (name.startsWith(`${LOCK_NAME}.end-`)) utimesSync(join(store, name), 1, 1);
}

describe.skipIf(!existsSync('/proc/self/stat'))('a process that stands still at the worst moment (needs /proc)', () => {
  it('just before it takes a lock over: it takes nothing from the one that did so meanwhile', async () => {
    const store = folder();
    writeFileSync(join(store, LOCK_NAME), ownerWith({ pid: 2 ** 22 + 1 }));
    const sleeper = writerProcess(store, { stopAt: { way: 'to', name: LOCK_NAME } });
    await stopped(sleeper.pid);
    ageClaims(store);
    const lock = await lockStore(store, 'test');
    sleeper.signal('SIGCONT');
    const { said, message } = await sleeper.first;
    expect(said).toBe('STORE_LOCKED');
    expect(message).toContain(`process ${process.pid} (test)`);
    await writeFileAtomic(join(store, 'mine'), [Buffer.from('x')]);
    await lock.release();
    expect(readdirSync(store)).toEqual(['mine']);
    await sleeper.kill();
  });

  it('and one after the other, until a third goes on', async () => {
    const store = folder();
    writeFileSync(join(store, LOCK_NAME), ownerWith({ pid: 2 ** 22 + 1 }));
    const sleepers = [];
    for (let n = 0; n < 3; n++) {
      const sleeper = writerProcess(store, { stopAt: { way: 'to', name: LOCK_NAME } });
      await stopped(sleeper.pid);
      ageClaims(store);
      sleepers.push(sleeper);
    }
    sleepers[0]!.signal('SIGCONT'); // its claim is the first, and the lock is the dead one's still
    // It tries again, and waits at the same call, as whoever stands still there.
    await stopped(sleepers[0]!.pid);
    const lock = lockStore(store, 'test');
    ageClaims(store);
    const held = await lock;
    for (const sleeper of sleepers) sleeper.signal('SIGCONT');
    expect(await Promise.all(sleepers.map((one) => one.said))).toEqual(sleepers.map(() => 'STORE_LOCKED'));
    await writeFileAtomic(join(store, 'mine'), [Buffer.from('x')]);
    await held.release();
    for (const sleeper of sleepers) await sleeper.kill();
    expect(readdirSync(store)).toEqual(['mine']);
  });

  it('just before it gives its lock back: that of the next one stays', async () => {
    const store = folder();
    const sleeper = writerProcess(store, { host: 'elsewhere', stopAt: { way: 'from', name: LOCK_NAME } });
    expect(await sleeper.said).toBe('locked');
    const released = sleeper.tell('release');
    await stopped(sleeper.pid);
    ageClaims(store);
    const lock = await lockStore(store, 'test', { takeOver: true });
    sleeper.signal('SIGCONT');
    expect(await released).toEqual({ said: 'done' });
    await writeFileAtomic(join(store, 'mine'), [Buffer.from('x')]);
    await lock.release();
    expect(readdirSync(store)).toEqual(['mine']);
    await sleeper.kill();
  });

  it('just before it gives a file its name: it says that the lock is lost, and the file is not there', async () => {
    const store = folder();
    const sleeper = writerProcess(store, { host: 'elsewhere', stopAt: { way: 'to', name: 'theirs' } });
    expect(await sleeper.said).toBe('locked');
    const written = sleeper.tell('write theirs');
    await stopped(sleeper.pid);
    const lock = await lockStore(store, 'test', { takeOver: true });
    await writeFileAtomic(join(store, 'mine'), [Buffer.from('x')]);
    sleeper.signal('SIGCONT');
    const { said, message } = await written;
    expect(said).toBe('STORE_LOCKED');
    expect(message).toContain(`has lost its lock of ${store}`);
    expect(message).toContain(`process ${process.pid} on ${hostname()} (test)`);
    await lock.release();
    await sleeper.kill();
    expect(readdirSync(store)).toEqual(['mine']);
  });
});

describe('processes whose clocks are 10 s apart', () => {
  it.each([10_000, -10_000])(
    'hold a lock as long as they give signs of life, and no longer (%i ms)',
    async (shiftMs) => {
      const store = folder();
      const other = writerProcess(store, { settings: QUICK, host: 'elsewhere', shiftMs });
      expect(await other.said).toBe('locked');
      await sleep(1.5 * QUICK.leftBehindMs);
      await rejection(lockStore(store, 'test', {}, QUICK), 'STORE_LOCKED');
      await other.kill();
      await rejection(lockStore(store, 'test', {}, QUICK), 'STORE_LOCKED');
      await sleep(1.5 * QUICK.leftBehindMs);
      await (await lockStore(store, 'test', {}, QUICK)).release();
      expect(readdirSync(store)).toEqual([]);
    },
  );
});

const unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** Why no process can be given a namespace of its own; undefined where it can. */
async function whyNoNamespace(): Promise<string | undefined> {
  const child = spawn(unshare[0]!, [...unshare.slice(1), 'true'], { stdio: 'ignore' });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0 ? undefined : `unshare ends with ${code}`;
  } catch (error) {
    return (error as Error).message;
  }
}

const whyNot = await whyNoNamespace();
describe.skipIf(whyNot !== undefined)(
  whyNot === undefined ? 'the lock of a container' : `the lock of a container [skipped: ${whyNot}]`,
  () => {
    it('of this host name, in which every process is the first one, is held while that lives and no longer', async () => {
      const store = folder();
      const [one, two] = [1, 2].map(() => writerProcess(store, { settings: QUICK }, unshare));
      const said = [await one!.first, await two!.first];
      expect(said.map((each) => each.said).sort()).toEqual(['STORE_LOCKED', 'locked']);
      const refused = said.find((each) => each.said === 'STORE_LOCKED')!;
      expect(refused.message).toMatch(/by process 1 \(test\).*another container/);
      // Here it cannot be seen either, and here process 1 is another one.
      const { message } = await rejection(lockStore(store, 'test', {}, QUICK), 'STORE_LOCKED');
      expect(message).toMatch(/by process 1 \(test\).*another container/);
      await Promise.all([one!.kill(), two!.kill()]);
      await sleep(1.5 * QUICK.leftBehindMs);
      await (await lockStore(store, 'test', {}, QUICK)).release();
      expect(readdirSync(store)).toEqual([]);
    });
  },
);

describe('the lock on a disk without hard links', () => {
  it('is held by one writer too, and goes to exactly one of several', async () => {
    const store = folder();
    const writers = Array.from({ length: 4 }, () => writerProcess(store, { noLinks: true }));
    const said = await Promise.all(writers.map((writer) => writer.said));
    expect(said.toSorted()).toEqual(['STORE_LOCKED', 'STORE_LOCKED', 'STORE_LOCKED', 'locked']);
    const holder = writers[said.indexOf('locked')]!;
    expect(await holder.tell('write a')).toEqual({ said: 'done' });
    expect(await holder.tell('release')).toEqual({ said: 'done' });
    expect(readdirSync(store)).toEqual(['a']);
    await holder.kill();
  });
});

describe('processes that lock a store again and again, some of them killed', () => {
  it('are never two at a time, and the store is free in the end', async () => {
    const store = folder();
    const log = join(store, 'log');
    const script = `import { appendFileSync } from 'node:fs';
      import { setTimeout as sleep } from 'node:timers/promises';
      const { lockStore } = await import(${JSON.stringify(`${dist}/store/write/lock.js`)});
      for (const end = Date.now() + 3000; Date.now() < end;) {
        try {
          const lock = await lockStore(${JSON.stringify(store)}, 'test');
          appendFileSync(${JSON.stringify(log)}, 'in ' + process.pid + '\\n');
          await sleep(Math.random() * 4);
          appendFileSync(${JSON.stringify(log)}, 'out ' + process.pid + '\\n');
          await lock.release();
        } catch (error) {
          if (error.code !== 'STORE_LOCKED') { console.error(error); process.exit(1); }
        }
        await sleep(Math.random() * 4);
      }`;
    const children = Array.from({ length: 5 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'inherit', 'inherit'] }),
    );
    const ends = children.map((child) => once(child, 'exit') as Promise<[number | null, string | null]>);
    const killed = new Set<number>();
    for (const child of children.slice(0, 2)) {
      await sleep(700);
      if (child.kill('SIGKILL')) killed.add(child.pid!);
    }
    const ended = await Promise.all(ends);
    expect(ended.slice(2).map(([code]) => code)).toEqual([0, 0, 0]);
    const entries = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    expect(entries.length).toBeGreaterThan(50);
    let inside: number | undefined;
    for (const [what, pid] of entries) {
      if (what === 'in') {
        if (inside !== undefined) expect(killed.has(inside)).toBe(true); // it was killed inside
        inside = Number(pid);
      } else {
        expect(Number(pid)).toBe(inside);
        inside = undefined;
      }
    }
    await (await lockStore(store, 'test')).release();
    expect(readdirSync(store).filter((name) => !name.endsWith('.tmp'))).toEqual(['log']);
  });
});

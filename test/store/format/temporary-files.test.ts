import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writeFileAtomic } from '../../../src/store/format/atomic-file.ts';
import { abandonedIn, isTemporary, temporaryPath, withTemporary } from '../../../src/store/format/temporary-files.ts';
import { openForWriting } from '../../../src/store/write/store.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
const ATOMIC = pathToFileURL('dist/store/format/atomic-file.js').href;

/** A process that has written half of a file, and goes on when it is told to. */
async function halfWritten(path: string) {
  const script = `import { writeFileAtomic } from ${JSON.stringify(ATOMIC)};
    await writeFileAtomic(${JSON.stringify(path)}, (async function* () {
      yield Buffer.from('half, ');
      console.log('half');
      await new Promise((resolve) => process.stdin.once('data', resolve));
      yield Buffer.from('whole');
    })());
    console.log('whole');
    process.exit();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe('a temporary file', () => {
  it('has a name beside its file that no other has, of a length that a disk takes', () => {
    const paths = ['manifest.json', 'x'.repeat(250), '图'.repeat(80)].map((name) => join('/store', name));
    for (const path of paths) {
      const made = [temporaryPath(path), temporaryPath(path)];
      expect(new Set(made).size).toBe(2);
      for (const one of made) {
        expect(dirname(one)).toBe('/store');
        expect(isTemporary(basename(one))).toBe(true);
        expect(Buffer.byteLength(basename(one))).toBeLessThanOrEqual(255);
      }
    }
    expect(basename(temporaryPath('/store/manifest.json'))).toMatch(/^manifest\.json\./);
  });

  it('is known by the names of older versions too, and no other file is', () => {
    for (const name of ['manifest.json.4711.tmp', 'x.arrow.1.tmp']) expect(isTemporary(name)).toBe(true);
    for (const name of ['notes.tmp', 'a.b.tmp', 'x.-1.tmp', 'x.1.tmp.txt']) expect(isTemporary(name)).toBe(false);
  });

  it('of a killed process is removed by who opens the store, in every folder that commands write to', async () => {
    const store = folder();
    await openForWriting(store, '0.0.0');
    const child = await halfWritten(join(store, 'report.html'));
    const dead = String(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const left = ['heads/x', 'finetune/y', 'taught/z'].map((name) =>
      temporaryPath(join(store, name)).replace(`.${process.pid}.`, `.${dead}.`),
    );
    for (const path of left) mkdirSync(dirname(path), { recursive: true });
    for (const path of left.slice(0, 2)) writeFileSync(path, 'half');
    // A data set of taught classes that was not whole is a folder.
    mkdirSync(join(left[2]!, 'Train'), { recursive: true });
    expect(readdirSync(store).filter(isTemporary)).toHaveLength(1);
    await openForWriting(store, '0.0.0');
    expect(readdirSync(store, { recursive: true }).filter((name) => isTemporary(String(name)))).toEqual([]);
  });

  it('of a process that lives is left alone by who opens the store, and becomes its file', async () => {
    const store = folder();
    await openForWriting(store, '0.0.0');
    mkdirSync(join(store, 'heads'));
    const path = join(store, 'heads', 'x.safetensors');
    const child = await halfWritten(path);
    await openForWriting(store, '0.0.0');
    expect(readdirSync(join(store, 'heads')).filter(isTemporary)).toHaveLength(1);
    child.stdin.write('on');
    await once(child, 'exit');
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(join(store, 'heads'))).toEqual(['x.safetensors']);
  });

  it('of a killed process is removed by who opens the store next', async () => {
    const store = folder();
    await openForWriting(store, '0.0.0');
    const child = await halfWritten(join(store, 'results.json'));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readdirSync(store).filter(isTemporary)).toHaveLength(1);
    await openForWriting(store, '0.0.0');
    expect(readdirSync(store)).toEqual(['manifest.json']);
  });

  it('of another host, container or version counts as left over when nobody wrote to it for ten minutes', async () => {
    const root = folder();
    const names = ['m.json.elsewhere-01234567.1.89abcdef.tmp', 'm.json.1.tmp', `m.json.${process.pid}.tmp`];
    for (const name of names) writeFileSync(join(root, name), 'half');
    expect(await abandonedIn(root, readdirSync(root))).toEqual([]);
    const age = (minutes: number): void => {
      const then = new Date(Date.now() - minutes * 60_000);
      for (const name of names) utimesSync(join(root, name), then, then);
    };
    age(9);
    expect(await abandonedIn(root, readdirSync(root))).toEqual([]);
    age(11);
    expect((await abandonedIn(root, readdirSync(root))).sort()).toEqual([...names].sort());
    expect(readdirSync(root)).toHaveLength(3); // the file that told the time is gone
  });

  it('of this process is left over when it is not written now: one before it had its number', async () => {
    const root = folder();
    await withTemporary(join(root, 'a'), async (temporary) => {
      writeFileSync(temporary, 'half');
      expect(await abandonedIn(root, readdirSync(root))).toEqual([]);
    });
    expect(await abandonedIn(root, readdirSync(root))).toEqual(readdirSync(root));
  });

  it('is of one writing alone: twenty at once of one file leave that file and nothing else', async () => {
    const root = folder();
    await Promise.all(Array.from({ length: 20 }, (_, i) => writeFileAtomic(join(root, 'a'), [Buffer.from(String(i))])));
    expect(readdirSync(root)).toEqual(['a']);
  });
});

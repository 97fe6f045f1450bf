import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import { writeFileAtomic } from '../../../src/store/format/atomic-file.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
const bytes = (...parts: string[]): Uint8Array[] => parts.map((part) => new TextEncoder().encode(part));

describe('an atomic write', () => {
  it('leaves the file whole, tells its length and digest, and leaves nothing else', async () => {
    const root = folder();
    const facts = await writeFileAtomic(join(root, 'a.txt'), bytes('one ', '', 'two'));
    expect(facts).toEqual({ bytes: 7, sha256: createHash('sha256').update('one two').digest('hex') });
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('one two');
    expect(readdirSync(root)).toEqual(['a.txt']);
  });

  it('writes a file of no bytes', async () => {
    const path = join(folder(), 'empty');
    expect(await writeFileAtomic(path, [])).toMatchObject({ bytes: 0 });
    expect(readFileSync(path)).toHaveLength(0);
  });

  it('shows the old file until the new one is complete', async () => {
    const path = join(folder(), 'a.txt');
    writeFileSync(path, 'old');
    const seen: string[] = [];
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield* bytes('new ');
      seen.push(readFileSync(path, 'utf8'));
      await Promise.resolve();
      yield* bytes('text');
      seen.push(readFileSync(path, 'utf8'));
    }
    await writeFileAtomic(path, slowly());
    expect(seen).toEqual(['old', 'old']);
    expect(readFileSync(path, 'utf8')).toBe('new text');
  });

  it.each([
    ['the source of its bytes', new Error('the source dried up'), 'STORE_WRITE'],
    ['the program', new PermafrostError('FEATURE_OVERFLOW', 'too large'), 'FEATURE_OVERFLOW'],
  ] as const)('that fails by %s leaves the old file and no other', async (_what, failure, code) => {
    const root = folder();
    const path = join(root, 'a.txt');
    writeFileSync(path, 'old');
    function* failing(): Generator<Uint8Array> {
      yield* bytes('half of the new');
      throw failure;
    }
    const error = await rejection(writeFileAtomic(path, failing()), code);
    expect(error === failure || error.cause === failure).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(root)).toEqual(['a.txt']);
  });

  it('into a folder that is not there says the path and which folder', async () => {
    const path = join(folder(), 'gone/a.txt');
    const { message } = await rejection(writeFileAtomic(path, bytes('x')), 'STORE_WRITE');
    expect(message).toContain(path);
    expect(message).toMatch(/the folder \S+gone does not exist\. Make it/);
  });

  it('onto a folder fails and leaves that folder and no temporary file', async () => {
    const root = folder();
    mkdirSync(join(root, 'taken/inside'), { recursive: true });
    await rejection(writeFileAtomic(join(root, 'taken'), bytes('x')), 'STORE_WRITE');
    expect(readdirSync(root)).toEqual(['taken']);
    expect(existsSync(join(root, 'taken/inside'))).toBe(true);
  });
});

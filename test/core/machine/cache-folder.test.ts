import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheFolder } from '../../../src/core/machine/cache-folder.ts';
import { textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();

describe('the cache folder', () => {
  it('is PERMAFROST_CACHE where that is set, as an absolute path', () => {
    expect(cacheFolder('', { PERMAFROST_CACHE: 'some/where', XDG_CACHE_HOME: '/else' })).toBe(resolve('some/where'));
  });

  it.skipIf(process.platform !== 'linux')('follows XDG_CACHE_HOME, else ~/.cache; empty counts as not set', () => {
    expect(cacheFolder('', { PERMAFROST_CACHE: '', XDG_CACHE_HOME: '/caches' })).toBe('/caches/permafrost');
    expect(cacheFolder('', { XDG_CACHE_HOME: '' })).toBe(join(homedir(), '.cache', 'permafrost'));
  });

  it('is an absolute path of its own whatever the environment', () => {
    expect(isAbsolute(cacheFolder('', {}))).toBe(true);
    expect(cacheFolder('', {})).toMatch(/permafrost$/);
  });

  describe.skipIf(process.platform === 'win32')('into which others can write', () => {
    const within = (root: string, part = ''): string => cacheFolder(part, { PERMAFROST_CACHE: root });
    const refused = (words: RegExp): unknown =>
      expect.objectContaining({ code: 'CACHE_UNSAFE', message: textWith(words) });

    it('is refused with what to do, and so is a part of it', () => {
      const root = folder();
      mkdirSync(join(root, 'engines'));
      expect(within(root, 'engines')).toBe(join(root, 'engines'));
      chmodSync(join(root, 'engines'), 0o777);
      expect(() => within(root, 'engines')).toThrow(refused(/engines can be written by everybody.*chmod go-w/));
      expect(within(root, 'others')).toBe(join(root, 'others'));
      chmodSync(root, 0o1777);
      expect(() => within(root, 'others')).toThrow(refused(/set PERMAFROST_CACHE to a folder of your own/));
    });

    it.skipIf(process.getuid?.() !== 0)('is refused by its owner or its group too (only the superuser can try)', () => {
      const root = folder();
      chownSync(root, 65534, 65534);
      expect(() => within(root)).toThrow(refused(/belongs to the user 65534, not to you \(0\)/));
      chownSync(root, 0, 65534);
      expect(within(root)).toBe(root);
      chmodSync(root, 0o775);
      expect(() => within(root)).toThrow(refused(/can be written by the group 65534/));
    });
  });
});

import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheFolder } from '../../../src/core/machine/cache-folder.ts';

describe('the cache folder', () => {
  it('is PERMAFROST_CACHE where that is set, as an absolute path', () => {
    expect(cacheFolder({ PERMAFROST_CACHE: 'some/where', XDG_CACHE_HOME: '/else' })).toBe(resolve('some/where'));
  });

  it.skipIf(process.platform !== 'linux')('follows XDG_CACHE_HOME, else ~/.cache; empty counts as not set', () => {
    expect(cacheFolder({ PERMAFROST_CACHE: '', XDG_CACHE_HOME: '/caches' })).toBe('/caches/permafrost');
    expect(cacheFolder({ XDG_CACHE_HOME: '' })).toBe(join(homedir(), '.cache', 'permafrost'));
  });

  it('is an absolute path of its own whatever the environment', () => {
    expect(isAbsolute(cacheFolder({}))).toBe(true);
    expect(cacheFolder({})).toMatch(/permafrost$/);
  });
});

import { expect, it } from 'vitest';
import { stampText } from '../../../../src/core/files/file-stamp.ts';
import { objectStamp, objectStamps } from '../../../../src/extract/source/s3/object-stamp.ts';

const facts = { size: 5, etag: '"a"', changedMs: 1_000 };

it('changes with the ETag or the size, and not with the time', () => {
  const stamp = stampText(objectStamp(facts));
  expect(stampText(objectStamp({ ...facts, changedMs: 2_000 }))).toBe(stamp);
  expect(stampText(objectStamp({ ...facts, etag: '"b"' }))).not.toBe(stamp);
  expect(stampText(objectStamp({ ...facts, size: 6 }))).not.toBe(stamp);
});

it('has the time where the storage gives no ETag', () => {
  const bare = { ...facts, etag: undefined };
  const stamp = stampText(objectStamp(bare));
  expect(stamp).toBe('5,1000000000,1000000000,0');
  expect(stampText(objectStamp({ ...bare, changedMs: 2_000 }))).not.toBe(stamp);
});

it('is found by path, and only where it was told', () => {
  const paths = ['a', 'b/1', 'b/2', '\u{10000}'].map((path) => ({ path }));
  const stamps = objectStamps(paths, (path) => (path === 'b/1' ? undefined : objectStamp({ ...facts, etag: path })));
  for (const { path } of paths)
    expect(stamps.stampOf(path)).toEqual(path === 'b/1' ? undefined : objectStamp({ ...facts, etag: path }));
  expect(stamps.stampOf('b')).toBeUndefined();
  expect(stamps.stampOf('zzz')).toBeUndefined();
});

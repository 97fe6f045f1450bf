import { describe, expect, it } from 'vitest';
import { belowS3, isS3Address, parseS3Address, s3Root } from '../../../../src/extract/source/s3/address.ts';
import { absoluteRoot, placeOf } from '../../../../src/extract/source/place.ts';
import { PermafrostError } from '../../../../src/core/errors.ts';

describe('an address of S3', () => {
  it.each([
    ['s3://photos', 'photos', ''],
    ['s3://photos/', 'photos', ''],
    ['s3://photos/a/b c+%20ü.jpg', 'photos', 'a/b c+%20ü.jpg'],
    ['S3://photos//a//b', 'photos', '/a//b'],
    ['s3://photos/../x?versionId=1', 'photos', '../x?versionId=1'],
  ])('%s names a bucket, and a key as it stands', (text, bucket, key) => {
    expect(isS3Address(text)).toBe(true);
    expect(parseS3Address(text)).toEqual({ bucket, key });
  });

  it.each(['s3://', 's3:///key', 's3://a b/c', 's3://-x/c'])('%s is refused', (text) => {
    expect(() => parseS3Address(text)).toThrow(PermafrostError);
  });

  it('is no folder: paths below its root are not joined as those of a disk are', () => {
    expect(s3Root('s3://b/p/')).toBe('s3://b/p');
    expect(s3Root('S3://b')).toBe('s3://b');
    expect(belowS3('s3://b/p', '../x//y')).toBe('s3://b/p/../x//y');
    expect(belowS3('s3://', 'b/x')).toBe('s3://b/x');
    expect(absoluteRoot('s3://b/p//')).toBe('s3://b/p//');
    expect(placeOf('s3://b/p', 'x/1.jpg')).toBe('s3://b/p/x/1.jpg');
  });

  it('keeps the empty part that ends a prefix', () => {
    const root = s3Root('s3://b/p//');
    expect(parseS3Address(belowS3(root, 'x')).key).toBe('p//x');
  });
});

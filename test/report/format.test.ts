import { describe, expect, it } from 'vitest';
import { bytes, milliseconds, parameters, plural, ratio, seconds } from '../../src/report/format.ts';

describe('numbers with units', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [2 ** 20 - 1, '1.0 MiB'],
    [2 ** 20, '1.0 MiB'],
    [64 * 2 ** 20, '64.0 MiB'],
    [2 ** 30 - 1, '1.0 GiB'],
    [5 * 2 ** 40, '5.0 TiB'],
    [5000 * 2 ** 40, '5000.0 TiB'],
  ])('%d bytes are %j', (n, text) => expect(bytes(n)).toBe(text));

  it.each([
    [0, '0.0 s'],
    [48.06, '48.1 s'],
    [99.94, '99.9 s'],
    [99.95, '1 min 40 s'],
    [119.4, '1 min 59 s'],
    [119.7, '2 min 0 s'], // not 1 min 60 s
    [3599.6, '60 min 0 s'],
    [3725, '62 min 5 s'],
  ])('%d seconds are %j', (s, text) => expect(seconds(s)).toBe(text));

  it.each([
    [0.04, '0.0 ms'],
    [1.25, '1.3 ms'],
    [99.94, '99.9 ms'],
    [99.95, '100 ms'],
    [9999.4, '9999 ms'],
    [9999.5, '10.0 s'],
    [10_000, '10.0 s'],
    [61_250, '61.3 s'],
  ])('%d milliseconds are %j', (ms, text) => expect(milliseconds(ms)).toBe(text));

  it('has four digits for a rate', () => {
    expect([ratio(1), ratio(0.93464), ratio(0), ratio(NaN)]).toEqual(['1.0000', '0.9346', '0.0000', 'NaN']);
  });

  it('counts in the singular and the plural', () => {
    expect([plural(0, 'image'), plural(1, 'image'), plural(2, 'image'), plural(3, 'class', 'classes')]).toEqual([
      '0 images',
      '1 image',
      '2 images',
      '3 classes',
    ]);
  });

  it('lists hyper-parameters by name, none as nothing', () => {
    expect(parameters({ C: 10, tol: 1e-7, metric: 'cosine', weighted: false })).toBe(
      'C=10 tol=1e-7 metric=cosine weighted=false',
    );
    expect(parameters({})).toBe('');
  });
});

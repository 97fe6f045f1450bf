import { expect, it } from 'vitest';
import { expandBraces, isBracePattern } from '../../../src/extract/archives/brace-pattern.ts';

it('a range has the digits of its first number, a list its texts, and several are all combinations', () => {
  expect(expandBraces('a-{008..011}.tar')).toEqual(['a-008.tar', 'a-009.tar', 'a-010.tar', 'a-011.tar']);
  expect(expandBraces('{0..1}{x,y}.tar')).toEqual(['0x.tar', '0y.tar', '1x.tar', '1y.tar']);
  expect(expandBraces('{98..101}')).toEqual(['98', '99', '100', '101']);
  expect(expandBraces('plain.tar')).toEqual(['plain.tar']);
});

it('only the last part of a path is a pattern', () => {
  expect(isBracePattern('/a/{b}/c.tar')).toBe(false);
  expect(isBracePattern('/a/b/c-{0..9}.tar')).toBe(true);
});

it('a range that falls, or stands for more than 100,000 archives, is refused', () => {
  expect(() => expandBraces('{3..2}.tar')).toThrow('{3..2} is no range');
  expect(() => expandBraces('{0..99999999}.tar')).toThrow('at most 100000 archives');
  expect(() => expandBraces('{0..99999}{a,b}.tar')).toThrow('more than 100000 archives');
});

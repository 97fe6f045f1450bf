import { describe, expect, it } from 'vitest';
import { classesOf, countClasses, encodeLabels } from '../../src/classify/labels.ts';

describe('labels', () => {
  it('are numbered in the order of their code units, whatever the locale', () => {
    const { classes, indices } = encodeLabels(['b', 'ä', 'a', 'Z', 'b', '10', '9']);
    expect(classes).toEqual(['10', '9', 'Z', 'a', 'b', 'ä']);
    expect([...indices]).toEqual([4, 5, 3, 2, 4, 0, 1]);
    expect([...countClasses(indices, 6)]).toEqual([1, 1, 1, 1, 2, 1]);
  });

  it('may be names that objects have', () => {
    expect(classesOf(['toString', '__proto__', 'toString'])).toEqual(['__proto__', 'toString']);
    expect([...encodeLabels(['__proto__'], ['__proto__', 'a']).indices]).toEqual([0]);
  });

  it('must be among the classes', () => {
    expect(() => encodeLabels(['c'], ['a', 'b'])).toThrow(/"c" is none of the 2 classes: "a", "b"/);
  });
});

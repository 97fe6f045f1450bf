import { PermafrostError } from '../core/errors.ts';

/** Class names as numbers. */
export interface EncodedLabels {
  /** Distinct names in code unit order (the order of JavaScript's `<`): the same on every machine and locale. */
  readonly classes: readonly string[];
  /** Index into `classes` of each label, shape (n). */
  readonly indices: Int32Array;
}

/** The distinct names of `labels`, sorted by code unit. */
export function classesOf(labels: Iterable<string>): string[] {
  // The default sort compares code units.
  return [...new Set(labels)].sort();
}

/** Labels as indices into `classes`, by default their own distinct names. Throws FIT_INVALID for any other label. */
export function encodeLabels(labels: readonly string[], classes: readonly string[] = classesOf(labels)): EncodedLabels {
  const indexOf = new Map(classes.map((name, index) => [name, index]));
  const indices = Int32Array.from(labels, (label) => {
    const index = indexOf.get(label);
    if (index === undefined) {
      throw new PermafrostError(
        'FIT_INVALID',
        `The label ${JSON.stringify(label)} is none of the ${classes.length} classes: ${classes.map((name) => JSON.stringify(name)).join(', ')}.`,
      );
    }
    return index;
  });
  return { classes, indices };
}

/** How many labels each class has, shape (classes). */
export function countClasses(indices: Int32Array, classes: number): Int32Array {
  const counts = new Int32Array(classes);
  for (const index of indices) counts[index]!++;
  return counts;
}

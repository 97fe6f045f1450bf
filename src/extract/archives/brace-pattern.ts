import { PermafrostError } from '../../core/errors.ts';

/** Most names that a pattern may stand for. */
const MOST_NAMES = 100_000;

const GROUP = /\{([^{}]*)\}/;
const RANGE = /^(\d+)\.\.(\d+)$/;

/** Whether a path's last part is a pattern, as WebDataset writes them: shards-{00000..00012}.tar, {train,val}.tar. */
export const isBracePattern = (path: string): boolean => GROUP.test(path.slice(path.lastIndexOf('/') + 1));

/** The texts that stand in one pair of braces. A range has as many digits as its first number is written with. */
function choices(group: string, pattern: string): string[] {
  const range = RANGE.exec(group);
  if (range === null) return group.split(',');
  const [first, last] = [Number(range[1]), Number(range[2])];
  if (last < first || last - first >= MOST_NAMES)
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${pattern}: {${group}} is no range from a number to a larger one, of at most ${MOST_NAMES} archives.`,
    );
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i).padStart(range[1]!.length, '0'));
}

/**
 * The names that a pattern stands for, in its order: {00000..00012} is a range, {a,b} a list, and several of them are
 * all combinations. Throws DATASET_LAYOUT for a range that is none, and for more than 100,000 names.
 */
export function expandBraces(pattern: string): string[] {
  let found = [pattern];
  while (GROUP.test(found[0]!)) {
    found = found.flatMap((text) => {
      const { 0: whole, 1: group, index } = GROUP.exec(text)!;
      return choices(group!, pattern).map((choice) => text.slice(0, index) + choice + text.slice(index + whole.length));
    });
    if (found.length > MOST_NAMES)
      throw new PermafrostError('DATASET_LAYOUT', `${pattern} stands for more than ${MOST_NAMES} archives.`);
  }
  return found;
}

import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';

/** Hex digits of a digest that become a place: 52 bits, which a double holds exactly. */
const DIGITS = 13;

/** Where a content lies in [0, 1): the first 52 bits of the SHA-256 of `seed:sha256`. Other images do not count. */
export function placeOfContent(sha256: string, seed: number): number {
  return Number.parseInt(sha256Hex(`${seed}:${sha256}`).slice(0, DIGITS), 16) / 16 ** DIGITS;
}

/** The side of a content that was decided before, and one that is drawn. */
export const SIDES = { open: 0, train: 1, val: 2 } as const;

/** Images of different contents, which are numbered from 0 on. */
export interface HoldOutImages {
  /** The place of each content (placeOfContent), shape (contents). */
  readonly places: Float64Array;
  /** What was decided of each before, a value of SIDES, shape (contents). */
  readonly kept: Uint8Array;
  /** Content and class of each image, both shape (images). */
  readonly contents: ArrayLike<number>;
  readonly labels: readonly string[];
}

/** The different contents of each class, classes in code unit order; and the classes of those that stand in several. */
function contentsByClass({ places, contents, labels }: HoldOutImages) {
  const found = new Map<string, number[]>();
  const firstOf = new Array<string | undefined>(places.length);
  const shared = new Map<number, Set<string>>();
  labels.forEach((label, i) => {
    const n = contents[i]!;
    const first = (firstOf[n] ??= label);
    const classes = shared.get(n) ?? new Set([first]);
    if (first !== label) shared.set(n, classes.add(label));
    const known = found.get(label);
    if (known === undefined) found.set(label, [n]);
    else known.push(n);
  });
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    classes: new Map(sorted.map(([label, numbers]) => [label, [...new Set(numbers)]] as const)),
    classesOf: (n: number): Iterable<string> => shared.get(n) ?? [firstOf[n]!],
  };
}

/**
 * Which contents are held out, shape (contents): those whose place is below `valFraction` (0 to 1, exclusive), and
 * those that were before. Images of one content are never parted. A class keeps at least one content in train, and of
 * two or more one is held out: where the draw gave it none, that of the last or first place which was not decided
 * before, if there is one. Throws FIT_INVALID.
 */
export function holdOut(images: HoldOutImages, valFraction: number): Uint8Array {
  if (!(valFraction > 0 && valFraction < 1))
    throw new PermafrostError('FIT_INVALID', `valFraction must lie between 0 and 1, got ${valFraction}.`);
  const { places, kept } = images;
  const held = Uint8Array.from(places, (place, n) =>
    Number(kept[n] === SIDES.open ? place < valFraction : kept[n] === SIDES.val),
  );
  const { classes, classesOf } = contentsByClass(images);
  const trained = (label: string): number => classes.get(label)!.reduce((sum, n) => sum + 1 - held[n]!, 0);
  const movable = (numbers: readonly number[]): number[] =>
    numbers.filter((n) => kept[n] === SIDES.open).sort((a, b) => places[a]! - places[b]! || a - b);

  for (const numbers of classes.values())
    if (numbers.every((n) => held[n] === 1)) {
      const last = movable(numbers).at(-1);
      if (last !== undefined) held[last] = 0;
    }
  for (const numbers of classes.values())
    if (numbers.length > 1 && numbers.every((n) => held[n] === 0)) {
      const first = movable(numbers).find((n) => [...classesOf(n)].every((label) => trained(label) > 1));
      if (first !== undefined) held[first] = 1;
    }
  return held;
}

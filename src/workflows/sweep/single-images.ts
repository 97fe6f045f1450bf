import type { StoredSample } from '../../store/format/shard.ts';

/** Training images to cross-validate, and the classes that cannot be. */
export interface Foldable {
  readonly samples: readonly StoredSample[];
  /** Classes of one content, sorted: the fold that holds it out could not be trained on them. */
  readonly leftOut: readonly string[];
}

/** Leaves out classes of one content alone. Where fewer than two classes would be left, none is left out. */
export function foldable(samples: readonly StoredSample[]): Foldable {
  const first = new Map<string, string>();
  const several = new Set<string>();
  for (const { label, sha256 } of samples) {
    const known = first.get(label) ?? sha256;
    first.set(label, known);
    if (known !== sha256) several.add(label);
  }
  const leftOut = [...first.keys()].filter((label) => !several.has(label)).sort();
  return leftOut.length === 0 || several.size < 2
    ? { samples, leftOut: [] }
    : { samples: samples.filter(({ label }) => several.has(label)), leftOut };
}

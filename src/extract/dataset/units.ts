import type { Sample } from '../../core/sample.ts';
import { byCodeUnits } from './image-tree.ts';

/**
 * How a listing is cut into units: each is so many consecutive positions of it, and ends in a shard of its own. So no
 * duplicate and no unreadable file moves a border behind it, and any part of the units gives the same shards as all.
 */
export interface Units {
  /** Positions of a unit. */
  readonly size: number;
  /** The position of each sample in the whole listing, where samples were left out of it. Default: its index. */
  readonly positions?: Uint32Array | undefined;
}

/** The unit of each sample, by its index. */
export const unitOf =
  ({ size, positions }: Units) =>
  (index: number): number =>
    Math.floor((positions?.[index] ?? index) / size);

/** Some samples of a listing, with the positions that they have in the whole of it. */
export function pickSamples<S extends Sample>(
  all: readonly S[],
  units: Units,
  isPicked: (sample: S) => boolean,
): { readonly samples: readonly S[]; readonly units: Units } {
  const indices = all.flatMap((sample, i) => (isPicked(sample) ? [i] : []));
  const positions = Uint32Array.from(indices, (i) => units.positions?.[i] ?? i);
  return { samples: indices.map((i) => all[i]!), units: { ...units, positions } };
}

/**
 * The positions that the samples of a stored list had in the listing that it was made of: those that failed are not
 * in the list any more. Both in the order of their paths.
 */
export function positionsWithFailures(samples: readonly Sample[], failed: readonly { path: string }[]): Uint32Array {
  const others = failed.map(({ path }) => path).sort(byCodeUnits);
  let before = 0;
  return Uint32Array.from(samples, ({ path }, i) => {
    while (before < others.length && others[before]! < path) before++;
    return i + before;
  });
}

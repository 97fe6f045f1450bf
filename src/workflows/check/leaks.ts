import type { LeakResult } from '../../results/check-result.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import type { CopyPair } from '../../classify/copies/find-copies.ts';
import type { NearCopies } from './near-copies.ts';

/** A training image of some copies: of several one with another label, which says more. */
function trainCopy(copies: readonly StoredSample[]): ((label: string) => StoredSample) | undefined {
  const train = copies.filter(({ split }) => split === 'train');
  const [first] = train;
  if (first === undefined) return undefined;
  const other = train.find(({ label }) => label !== first.label);
  // Whatever the label, one of these two has another one, where any has.
  return (label) => (other !== undefined && first.label === label ? other : first);
}

type Likeness = Pick<CopyPair, 'cosine' | 'correlation' | 'mirrored'>;
const EQUAL: Likeness = { cosine: 1, correlation: 1, mirrored: false };

const leak = (
  train: StoredSample,
  held: StoredSample,
  kind: LeakResult['kind'],
  { cosine, correlation, mirrored }: Likeness,
): LeakResult => ({
  train: train.path,
  held: held.path,
  split: held.split,
  kind,
  cosine,
  correlation,
  mirrored,
  sameLabel: train.label === held.label,
});

/**
 * The images of val and test that have a copy in train, each once: an equal file where there is one, else the most
 * alike. `copies` are groups of equal files of all images; `near` is about `samples`. Equal files first, then by
 * likeness.
 */
export function leaksOf(
  copies: readonly (readonly StoredSample[])[],
  samples: readonly StoredSample[],
  { pairs, standFor }: Pick<NearCopies, 'pairs' | 'standFor'>,
): LeakResult[] {
  const leaks: LeakResult[] = [];
  const leaked = new Set<string>();
  const add = (one: LeakResult): void => {
    if (leaked.has(one.held)) return;
    leaked.add(one.held);
    leaks.push(one);
  };
  for (const group of copies) {
    const train = trainCopy(group);
    if (train === undefined) continue;
    for (const held of group) if (held.split !== 'train') add(leak(train(held.label), held, 'exact', EQUAL));
  }
  const groups = new Map<number, StoredSample[]>();
  samples.forEach((sample, i) => {
    const group = groups.get(standFor[i]!);
    if (group === undefined) groups.set(standFor[i]!, [sample]);
    else group.push(sample);
  });
  const trains = new Map([...groups].map(([first, group]) => [first, trainCopy(group)]));
  for (const pair of pairs) {
    const [one, other] = [standFor[pair.a]!, standFor[pair.b]!];
    for (const [held, from] of [
      [one, other],
      [other, one],
    ] as const) {
      const train = trains.get(from);
      if (train === undefined) continue;
      for (const image of groups.get(held)!)
        if (image.split !== 'train') add(leak(train(image.label), image, 'near', pair));
      // All of them are listed now: no later pair is more alike.
      groups.set(held, []);
    }
  }
  return leaks;
}

import type { LeakResult } from '../../results/check-result.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import type { NearDuplicates } from './near-duplicates.ts';

/** A training image of some copies: of several one with another label, which says more. */
function trainCopy(copies: readonly StoredSample[]): ((label: string) => StoredSample) | undefined {
  const train = copies.filter(({ split }) => split === 'train');
  const [first] = train;
  if (first === undefined) return undefined;
  const other = train.find(({ label }) => label !== first.label);
  // Whatever the label, one of these two has another one, where any has.
  return (label) => (other !== undefined && first.label === label ? other : first);
}

const leak = (train: StoredSample, held: StoredSample, kind: LeakResult['kind'], cosine: number): LeakResult => ({
  train: train.path,
  held: held.path,
  split: held.split,
  kind,
  cosine,
  sameLabel: train.label === held.label,
});

/**
 * The images of val and test that have a copy in train, each once: an equal file where there is one, else the nearest.
 * `copies` are groups of equal files of all images; `near` is about `samples`. Equal files first, then by likeness.
 */
export function leaksOf(
  copies: readonly (readonly StoredSample[])[],
  samples: readonly StoredSample[],
  { pairs, standFor }: Pick<NearDuplicates, 'pairs' | 'standFor'>,
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
    for (const held of group) if (held.split !== 'train') add(leak(train(held.label), held, 'exact', 1));
  }
  const groups = new Map<number, StoredSample[]>();
  samples.forEach((sample, i) => {
    const group = groups.get(standFor[i]!);
    if (group === undefined) groups.set(standFor[i]!, [sample]);
    else group.push(sample);
  });
  const trains = new Map([...groups].map(([first, group]) => [first, trainCopy(group)]));
  for (const { a, b, cosine } of pairs) {
    const [one, other] = [standFor[a]!, standFor[b]!];
    for (const [held, from] of [
      [one, other],
      [other, one],
    ] as const) {
      const train = trains.get(from);
      if (train === undefined) continue;
      for (const image of groups.get(held)!)
        if (image.split !== 'train') add(leak(train(image.label), image, 'near', cosine));
      // All of them are listed now: no later pair is more alike.
      groups.set(held, []);
    }
  }
  return leaks;
}

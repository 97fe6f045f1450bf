import { few, PermafrostError } from '../../../core/errors.ts';
import type { Split } from '../../../core/sample.ts';
import { readAsSplits, splitsNamed } from '../split-names.ts';

/** What the names of archives say of splits. */
export interface ArchiveSplits {
  /** The split of each archive that is used; undefined where the names give none. */
  readonly splits: ReadonlyMap<string, Split> | undefined;
  readonly warnings: readonly string[];
}

/** A file's name without what numbers it: train-00000-of-00002.parquet and train_0.tar are train. */
const stem = (name: string): string =>
  name
    .replace(/\.[^.]*$/, '')
    .replace(/[-_.]\d+-of-\d+$/, '')
    .replace(/[-_.]?\d+$/, '');

/**
 * Tells splits from the folders that archives lie in (train/00000.tar beside val/00000.tar), else from their names
 * (train-00000.tar). Archives beside them that name no split are left out and told. Throws DATASET_LAYOUT where a val
 * or test has no train.
 */
export function splitsOfArchives(where: string, names: readonly string[]): ArchiveSplits {
  const parts = names.map((name) => name.split('/'));
  const depth = Math.min(...parts.map(({ length }) => length));
  for (let level = 0; level < depth; level++) {
    const wordsOf = parts.map((path) => (level + 1 === path.length ? stem(path[level]!) : path[level]!));
    const found = splitsNamed([...new Set(wordsOf)]);
    if (found.size === 0) continue;
    if (![...found.values()].includes('train')) {
      throw new PermafrostError(
        'DATASET_LAYOUT',
        `${where} has archives for ${few([...found.keys()])} and none for train. Put those of train beside them, or give one archive alone, which is then split.`,
      );
    }
    const splits = new Map<string, Split>();
    const others: string[] = [];
    for (const [i, name] of names.entries()) {
      const split = found.get(wordsOf[i]!);
      if (split === undefined) others.push(name);
      else splits.set(name, split);
    }
    const read = readAsSplits(found);
    return {
      splits,
      warnings: [
        ...(read === undefined ? [] : [`Archives are read as splits: ${read}.`]),
        ...(others.length > 0 ? [`Ignored archives beside the splits: ${few(others)}.`] : []),
      ],
    };
  }
  return { splits: undefined, warnings: [] };
}

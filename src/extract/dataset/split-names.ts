import type { Split } from '../../core/sample.ts';

/** Words for a split. Those of `held` mean val, or test where another name says val (train, val and eval). */
const WORDS: Readonly<Record<Split | 'held', readonly string[]>> = {
  train: ['train', 'training', 'trn', 'trainval'],
  val: ['val', 'valid', 'validate', 'validation', 'dev', 'devel', 'development', 'tune', 'tuning'],
  test: ['test', 'testing', 'tst'],
  held: ['eval', 'evaluate', 'evaluation', 'holdout'],
};

const SPLIT_OF: ReadonlyMap<string, Split | 'held'> = new Map(
  Object.entries(WORDS).flatMap(([split, words]) => words.map((word) => [word, split as Split | 'held'] as const)),
);

/** Words that say nothing about the split: seg_train, train_images, Training Set, PublicTest. */
const NOISE = new Set(
  'set sets subset data dataset datasets image images img imgs picture pictures pics photo photos file files sample samples folder folders dir split splits fold seg jpg jpeg png raw public private'.split(
    ' ',
  ),
);
const GLUED = /^(\p{L}+?)(?:set|sets|data|images|imgs|img|files|dir|folder)$/u;

/** The one word of a name that names a split, and the rest without noise; undefined where none or several do. */
function parsed(name: string): { split: Split | 'held'; rest: string } | undefined {
  const words = name
    .normalize('NFKC')
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .replace(/h[oe]ld[^\p{L}]*out/u, 'holdout')
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== '');
  const splits: (Split | 'held')[] = [];
  const rest: string[] = [];
  for (const word of words) {
    const split = SPLIT_OF.get(word) ?? SPLIT_OF.get(GLUED.exec(word)?.[1] ?? '');
    if (split !== undefined) splits.push(split);
    else if (!NOISE.has(word)) rest.push(word);
  }
  return splits.length === 1 ? { split: splits[0]!, rest: rest.join(' ') } : undefined;
}

/** Whether a name has the word for a split in it, whatever else it says. */
export const mentionsSplit = (name: string): boolean => parsed(name) !== undefined;

/**
 * The splits that names standing side by side mean, in any case: train, Training_Set, seg_train, valid, dev, test1. A
 * name with more words counts where another split has the same ones (pets_train beside pets_test), and as the only
 * train beside clear names (train_mini beside val).
 */
export function splitsNamed(names: readonly string[]): Map<string, Split> {
  const found = names.flatMap((name) => {
    const parts = parsed(name);
    return parts === undefined ? [] : [{ name, ...parts }];
  });
  const siblings = new Map<string, Set<Split | 'held'>>();
  for (const { rest, split } of found) siblings.set(rest, (siblings.get(rest) ?? new Set()).add(split));
  const clear = found.filter(({ rest }) => rest === '' || siblings.get(rest)!.size > 1);
  const lone = found.filter(({ split }) => split === 'train');
  if (clear.length > 0 && lone.length === 1 && !clear.includes(lone[0]!)) clear.push(lone[0]!);
  const hasVal = clear.some(({ split }) => split === 'val');
  return new Map(clear.map(({ name, split }) => [name, split === 'held' ? (hasVal ? 'test' : 'val') : split] as const));
}

const PLAIN = new Set(['train', 'training', 'val', 'valid', 'validation', 'test', 'testing']);

/** How names are read as splits, where that does not go without saying; undefined where it does. */
export function readAsSplits(splits: ReadonlyMap<string, Split>): string | undefined {
  const odd = [...splits].filter(([name]) => !PLAIN.has(name.toLowerCase()));
  return odd.length === 0 ? undefined : odd.map(([name, split]) => `${name} as ${split}`).join(', ');
}

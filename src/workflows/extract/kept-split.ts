import { SIDES } from '../../classify/evaluate/hold-out.ts';
import { contentIndex } from '../../store/format/content-index.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import type { SplitOrigin } from '../../store/format/split-origin.ts';
import { storeFiles } from '../../store/read/file.ts';
import { splitOrigin } from '../../store/read/samples.ts';
import type { Work } from '../work.ts';
import { readableList } from './readable-list.ts';

/** The split of a store's data set where that named none. */
export interface KeptSplit {
  /** Undefined where an older version drew it, and did not say how. */
  readonly origin: Extract<SplitOrigin, { by: 'content' }> | undefined;
  /** The side of a content, a value of SIDES; open where the store does not have it. */
  sideOf(sha256: string): number;
  /** Files whose equals an older version put on the other side: what they hold is open. */
  readonly parted: number;
}

/** Found on both sides. */
const PARTED = SIDES.train | SIDES.val;

/**
 * The split that a store keeps; undefined where it has no list that can be read, where its data set named the splits,
 * and where nothing is held out.
 */
export async function keptSplit(store: StoreFolder, work: Work): Promise<KeptSplit | undefined> {
  const samples = await readableList(store, work);
  if (samples === undefined) return undefined;
  const origin = await splitOrigin(storeFiles(store.path), store.manifest);
  if (origin?.by === 'dataset') return undefined;
  const contents = contentIndex();
  const sides = new Uint8Array(samples.length);
  const splits = new Set<string>();
  for (const { sha256, split } of samples) {
    splits.add(split);
    sides[contents.add(sha256)]! |= split === 'train' ? SIDES.train : SIDES.val;
  }
  // Nobody draws a test split.
  if (!splits.has('val') || splits.has('test')) return undefined;
  let parted = 0;
  for (const { sha256 } of samples) parted += Number(sides[contents.find(sha256)] === PARTED);
  return {
    origin,
    parted,
    sideOf(sha256) {
      const number = contents.find(sha256);
      const side = number < 0 ? SIDES.open : sides[number]!;
      return side === PARTED ? SIDES.open : side;
    },
  };
}

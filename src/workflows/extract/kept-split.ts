import { SIDES } from '../../classify/evaluate/hold-out.ts';
import { contentIndex } from '../../store/format/content-index.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import type { SplitOrigin } from '../../store/format/split-origin.ts';
import { storeFiles } from '../../store/read/file.ts';
import { splitOrigin, storedList } from '../../store/read/samples.ts';

/** The split of a store's data set where that named none. */
export interface KeptSplit {
  /** Undefined where an older version drew it, and did not say how. */
  readonly origin: Extract<SplitOrigin, { by: 'content' }> | undefined;
  /** The side of a content, a value of SIDES; open where the store does not have it. */
  sideOf(sha256: string): number;
  /** Files whose equals an older version put on the other side: what they hold is open. */
  readonly parted: number;
}

/** The other side is found too. */
const PARTED = 3;

/**
 * The split that a store keeps; undefined where it has no list, where its data set named the splits, and where nothing
 * is held out. Throws STORE_CORRUPT.
 */
export async function keptSplit({ path, manifest }: StoreFolder): Promise<KeptSplit | undefined> {
  if (manifest.dataset.samples === undefined) return undefined;
  const files = storeFiles(path);
  const origin = await splitOrigin(files, manifest);
  if (origin?.by === 'dataset') return undefined;
  const list = storedList(files, manifest);
  const counts = await list.counts();
  // Nobody draws a test split.
  if (counts.val === 0 || counts.test > 0) return undefined;
  const contents = contentIndex();
  const samples = await list.samples();
  const sides = new Uint8Array(samples.length);
  for (const { sha256, split } of samples) {
    const side = split === 'train' ? SIDES.train : SIDES.val;
    sides[contents.add(sha256)]! |= side;
  }
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

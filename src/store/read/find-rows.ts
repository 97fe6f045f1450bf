import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { widthOf } from '../../core/sample.ts';
import { decoderOf, newestFirst, type FileEntry } from '../format/manifest.ts';
import { decodeShard } from '../format/shard.ts';
import { readAgain, setNow, storeChanged } from './changed.ts';
import type { DigestTable } from './digests/digest-table.ts';
import { rowTargets, type RowTargets } from './digests/row-targets.ts';
import type { StoreFiles } from './file.ts';
import type { StoredPart } from './stored-parts.ts';

/** Where one part of the features of each row lies. */
export interface PartLayout {
  readonly width: number;
  /** Numbers that the files hold of a row, where the part is made of those: the map of a gem (core/sample.ts). */
  readonly mapWidth: number | undefined;
  readonly files: readonly FileEntry[];
  /** Of each file the version of the decoder that its images were read with. */
  readonly decoders: readonly number[];
  /** Of each row the number of its file, and its row in that file. */
  readonly fileOf: Int32Array;
  readonly rowOf: Int32Array;
  /** Where the same rows lie now: `gc` and `migrate` move them. Throws STORE_CHANGED where some were removed. */
  again(): Promise<PartLayout>;
}
/** The same, once. */
export type FoundPart = Omit<PartLayout, 'again'>;

/**
 * Finds rows of a part in its set: at first as that was when the store was opened, and from the second try on as it is
 * now, for a writer has moved them.
 */
export async function foundRows<T extends { readonly missing: number }>(
  files: StoreFiles,
  part: StoredPart,
  from: 'at first' | 'now',
  find: (part: StoredPart) => Promise<T>,
): Promise<Omit<T, 'missing'>> {
  let isNow = from === 'now';
  let isNext = isNow;
  const { missing, ...layout } = await readAgain(async () => {
    isNow = isNext;
    isNext = true;
    return find(isNow ? { ...part, set: await setNow(files.path, part.set) } : part);
  });
  if (missing === 0) return layout;
  if (isNow) throw storeChanged(files.path, `the features of ${missing} images were removed`);
  throw new PermafrostError(
    'STORE_CORRUPT',
    `${files.path} lacks the features of ${missing} images. Run "permafrost extract" again.`,
  );
}

const emptyLayout = ({ width, pooling, stored, set }: StoredPart, rows: number) => ({
  width,
  mapWidth: stored === pooling ? undefined : widthOf(set.widths, stored),
  files: [] as FileEntry[],
  decoders: [] as number[],
  fileOf: new Int32Array(rows),
  rowOf: new Int32Array(rows),
});

/** The rows of the first part in the order in which they are stored, which all others follow. */
export async function layOutFirst(files: StoreFiles, part: StoredPart, digests: DigestTable) {
  const layout = emptyLayout(part, digests.length);
  const places = new Int32Array(digests.length);
  const starts = [0];
  let count = 0;
  const missing = await meetRows(files, part, rowTargets(digests), {
    put(place, file, row) {
      layout.fileOf[count] = file;
      layout.rowOf[count] = row;
      places[count++] = place;
    },
    fileEnds(file, decoder) {
      layout.files.push(file);
      layout.decoders.push(decoder);
      if (count > starts.at(-1)!) starts.push(count);
    },
  });
  return { ...layout, places, starts, missing };
}

/**
 * The rows of a part in the order of another: row rowAt[place] is of the sample of that number. One that lay elsewhere
 * `before` is the same one where the same decoder read its image; else it is missing.
 */
export async function layOutAs(
  files: StoreFiles,
  part: StoredPart,
  digests: DigestTable,
  rowAt: Int32Array,
  before?: FoundPart,
) {
  const layout = emptyLayout(part, digests.length);
  let others = 0;
  let meeting: number[] = [];
  const missing = await meetRows(files, part, rowTargets(digests), {
    put(place, file, number) {
      const row = rowAt[place]!;
      layout.fileOf[row] = file;
      layout.rowOf[row] = number;
      meeting.push(row);
    },
    fileEnds(file, decoder) {
      layout.files.push(file);
      layout.decoders.push(decoder);
      if (before !== undefined)
        for (const row of meeting) if (before.decoders[before.fileOf[row]!] !== decoder) others++;
      meeting = [];
    },
  });
  return { ...layout, missing: missing + others };
}

/** Goes through a part's shards in their order, and reports the place of each wanted row; gives how many lack. */
async function meetRows(
  files: StoreFiles,
  { set, stored }: StoredPart,
  targets: RowTargets,
  report: {
    readonly put: (place: number, file: number, row: number) => void;
    readonly fileEnds: (file: FileEntry, decoder: number) => void;
  },
): Promise<number> {
  let number = 0;
  for (const shard of newestFirst(set)) {
    const { rows: entry, [stored]: file } = shard.files;
    // Written without that pooling: another shard has these rows with it.
    if (file === undefined) continue;
    let row = 0;
    for (const { rows } of decodeShard(await files.read(entry), join(files.path, entry.name), shard)) {
      for (const { sha256 } of rows) {
        targets.meet(sha256, (place) => report.put(place, number, row));
        row++;
      }
    }
    report.fileEnds(file, decoderOf(shard));
    number++;
  }
  return targets.missing;
}

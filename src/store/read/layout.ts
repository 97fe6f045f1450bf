import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { widthOf, type Split } from '../../core/sample.ts';
import { decoderOf, newestFirst, type FileEntry } from '../format/manifest.ts';
import { decodeShard, type StoredSample } from '../format/shard.ts';
import { readAgain, setNow, storeChanged } from './changed.ts';
import { digestTable, type DigestTable } from './digests/digest-table.ts';
import type { StoreFiles } from './file.ts';
import type { StoredPart } from './stored-parts.ts';
import { rowTargets, type RowTargets } from './digests/row-targets.ts';
import type { SplitCounts } from './samples.ts';

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
type Lies = Omit<PartLayout, 'again'>;

/** Which rows some samples are, in the order in which their first part is stored. */
export interface RowLayout {
  /** Row i is of the sample of number places[i]. */
  readonly places: Int32Array;
  /** By the numbers of the samples. */
  readonly labels: readonly string[];
  /** SHA-256 of the JSON of pairs of an image's SHA-256 and its label, in the order of the rows, lower-case hex. */
  readonly digest: string;
  /** The first row of each file of the first part, ascending, and the number of rows at the end. */
  readonly starts: readonly number[];
  /** The parts of the images themselves, and then of each view. */
  readonly views: readonly (readonly PartLayout[])[];
}

/** What finding the rows takes of each, in bytes, until they are found. */
export const LAYOUT_ROW_BYTES = 250;

/** Samples with their numbers, which count split by split; without `splits` all, in their order. */
export function* numbered(
  samples: Iterable<StoredSample>,
  splits: readonly Split[] | undefined,
  counts: SplitCounts,
): Generator<{ readonly sample: StoredSample; readonly place: number }> {
  const next = new Map<Split, number>();
  let place = 0;
  for (const split of splits ?? []) {
    next.set(split, place);
    place += counts[split];
  }
  place = 0;
  for (const sample of samples) {
    const at = splits === undefined ? place++ : next.get(sample.split);
    if (at === undefined) continue;
    next.set(sample.split, at + 1);
    yield { sample, place: at };
  }
}

/** The samples that rows are wanted of, numbered; walked through anew where rows have to be found again. */
export type NumberedSamples = () => Promise<ReturnType<typeof numbered>>;

/**
 * Finds `rows` numbered samples in the parts of the images and of each view. Throws STORE_CORRUPT where one is missing,
 * and STORE_CHANGED where a writer has removed some.
 */
export async function layOut(
  files: StoreFiles,
  views: readonly (readonly StoredPart[])[],
  rows: number,
  samples: NumberedSamples,
): Promise<RowLayout> {
  const digests = digestTable(rows);
  const labels = new Array<string>(rows);
  for (const { sample, place } of await samples()) {
    digests.set(place, sample.sha256);
    labels[place] = sample.label;
  }
  const [first, ...others] = views.flat();
  const { places, starts, ...primary } = await found(files, first!, 'at first', (part) =>
    layOutFirst(files, part, digests),
  );
  const rowAt = new Int32Array(rows);
  places.forEach((place, row) => (rowAt[place] = row));
  const withAgain = (part: StoredPart, layout: Lies): PartLayout => ({
    ...layout,
    async again() {
      const table = digestTable(rows);
      for (const { sample, place } of await samples()) table.set(place, sample.sha256);
      return withAgain(part, await found(files, part, 'now', (now) => layOutAs(files, now, table, rowAt, layout)));
    },
  });
  const parts = [withAgain(first!, primary)];
  for (const other of others)
    parts.push(withAgain(other, await found(files, other, 'at first', (at) => layOutAs(files, at, digests, rowAt))));
  const width = views[0]!.length;
  const hash = createHash('sha256').update('[');
  places.forEach((place, row) =>
    hash.update(`${row === 0 ? '' : ','}${JSON.stringify([digests.at(place), labels[place]])}`),
  );
  return {
    places,
    labels,
    digest: hash.update(']').digest('hex'),
    starts,
    views: views.map((_, view) => parts.slice(view * width, (view + 1) * width)),
  };
}

/**
 * Finds rows of a part in its set: at first as that was when the store was opened, and from the second try on as it is
 * now, for a writer has moved them.
 */
async function found<T extends { readonly missing: number }>(
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
async function layOutFirst(files: StoreFiles, part: StoredPart, digests: DigestTable) {
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
 * The rows of a part in the order of another: row rowAt[place] is of the sample of that number. A row that lay elsewhere
 * `before` is the same one where the same decoder read its image; else it is missing.
 */
async function layOutAs(files: StoreFiles, part: StoredPart, digests: DigestTable, rowAt: Int32Array, before?: Lies) {
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

/** Goes through the rows of a part's shards in their order, and reports the place of each wanted one; how many lack. */
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
    for (const { rows } of decodeShard(await files.read(entry), join(files.path, entry.name))) {
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

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { widthOf, type Split } from '../../core/sample.ts';
import { newestFirst, type FileEntry } from '../format/manifest.ts';
import { decodeShard, type StoredSample } from '../format/shard.ts';
import { digestTable } from './digests/digest-table.ts';
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
  /** Of each row the number of its file, and its row in that file. */
  readonly fileOf: Int32Array;
  readonly rowOf: Int32Array;
}

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

/**
 * Finds `rows` numbered samples in the parts of the images and of each view. Throws STORE_CORRUPT where one is missing.
 */
export async function layOut(
  files: StoreFiles,
  views: readonly (readonly StoredPart[])[],
  rows: number,
  samples: ReturnType<typeof numbered>,
): Promise<RowLayout> {
  const digests = digestTable(rows);
  const labels = new Array<string>(rows);
  for (const { sample, place } of samples) {
    digests.set(place, sample.sha256);
    labels[place] = sample.label;
  }
  const places = new Int32Array(rows);
  const starts = [0];
  const hash = createHash('sha256').update('[');
  let found = 0;
  const [first, ...others] = views.flat();
  const primary = emptyLayout(first!, rows);
  await meetRows(files, first!, rowTargets(digests), {
    put(place, file, row, sha256) {
      hash.update(`${found === 0 ? '' : ','}${JSON.stringify([sha256, labels[place]])}`);
      primary.fileOf[found] = file;
      primary.rowOf[found] = row;
      places[found++] = place;
    },
    fileEnds(file) {
      primary.files.push(file);
      if (found > starts.at(-1)!) starts.push(found);
    },
  });
  const parts = [primary];
  const rowAt = new Int32Array(others.length > 0 ? rows : 0);
  if (others.length > 0) places.forEach((place, row) => (rowAt[place] = row));
  for (const other of others) {
    const part = emptyLayout(other, rows);
    await meetRows(files, other, rowTargets(digests), {
      put(place, file, row) {
        part.fileOf[rowAt[place]!] = file;
        part.rowOf[rowAt[place]!] = row;
      },
      fileEnds: (file) => part.files.push(file),
    });
    parts.push(part);
  }
  const width = views[0]!.length;
  return {
    places,
    labels,
    digest: hash.update(']').digest('hex'),
    starts,
    views: views.map((_, view) => parts.slice(view * width, (view + 1) * width)),
  };
}

const emptyLayout = ({ width, pooling, stored, set }: StoredPart, rows: number) => ({
  width,
  mapWidth: stored === pooling ? undefined : widthOf(set.widths, stored),
  files: [] as FileEntry[],
  fileOf: new Int32Array(rows),
  rowOf: new Int32Array(rows),
});

/** Goes through the rows of a part's shards in their order, and reports the place of each wanted one. */
async function meetRows(
  files: StoreFiles,
  { set, stored }: StoredPart,
  targets: RowTargets,
  found: {
    readonly put: (place: number, file: number, row: number, sha256: string) => void;
    readonly fileEnds: (file: FileEntry) => void;
  },
): Promise<void> {
  let number = 0;
  for (const shard of newestFirst(set)) {
    const { rows: entry, [stored]: file } = shard.files;
    // Written without that pooling: another shard has these rows with it.
    if (file === undefined) continue;
    let row = 0;
    for (const { rows } of decodeShard(await files.read(entry), join(files.path, entry.name), shard)) {
      for (const { sha256 } of rows) {
        targets.meet(sha256, (place) => found.put(place, number, row, sha256));
        row++;
      }
    }
    found.fileEnds(file);
    number++;
  }
  if (targets.missing > 0) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${files.path} lacks the features of ${targets.missing} images. Run "permafrost extract" again.`,
    );
  }
}

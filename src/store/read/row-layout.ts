import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import type { Split } from '../../core/sample.ts';
import { digestList, joinedDigests } from './digest-list.ts';
import type { FileEntry, Manifest } from '../format/manifest.ts';
import type { StoredPart } from './parts.ts';
import { eachSample, readVerified } from './reader.ts';
import { rowTargets, type RowTargets } from './row-targets.ts';
import { decodeShard, type StoredSample } from '../format/shard.ts';

/** The images of a store, as they are stored or under labels and splits that count in place of those. */
export type Samples = readonly StoredSample[] | undefined;

/** Where the rows of a stream have one part of their features. */
export interface LaidOutPart {
  readonly width: number;
  readonly files: readonly FileEntry[];
  /** Of each row of the stream the number of its file, and its row in that file. */
  readonly fileOf: Int32Array;
  readonly rowOf: Int32Array;
}

/** Which rows the samples of some splits are, in the order in which their first part is stored. */
export interface RowLayout {
  /** Row i is of the sample of number places[i], as they count split by split in the order of their paths. */
  readonly places: Int32Array;
  readonly labels: readonly string[];
  /** SHA-256 of the JSON of pairs of an image's SHA-256 and its label, in the order of the rows, lower-case hex. */
  readonly digest: string;
  /** The number of the first sample of each split. */
  readonly firsts: readonly number[];
  /** The first row of each file of the first part, ascending, and the number of rows at the end. */
  readonly starts: readonly number[];
  /** For each look, the images themselves and then their views, its parts. */
  readonly looks: readonly (readonly LaidOutPart[])[];
}

/** The samples of some splits, each with the place of its split among these and its rank in it. */
export async function* numbered(
  store: string,
  manifest: Manifest,
  splits: readonly Split[],
  all: Samples,
): AsyncGenerator<{ readonly sample: StoredSample; readonly split: number; readonly rank: number }> {
  const ranks = splits.map(() => 0);
  for await (const sample of all ?? eachSample(store, manifest)) {
    const split = splits.indexOf(sample.split);
    if (split >= 0) yield { sample, split, rank: ranks[split]!++ };
  }
}

/** Finds the rows of the splits' samples in the parts of every look. Throws STORE_CORRUPT where one is not there. */
export async function layOut(
  store: string,
  manifest: Manifest,
  looks: readonly (readonly StoredPart[])[],
  splits: readonly Split[],
  all: Samples,
): Promise<RowLayout> {
  const lists = splits.map(() => ({ digests: digestList(), labels: [] as string[] }));
  for await (const { sample, split } of numbered(store, manifest, splits, all)) {
    lists[split]!.digests.push(sample.sha256);
    lists[split]!.labels.push(sample.label);
  }
  const firsts = lists.map((_, i) => lists.slice(0, i).reduce((sum, { digests }) => sum + digests.length, 0));
  const labelOf = lists.flatMap(({ labels }) => labels);
  const digests = joinedDigests(lists.map((list) => list.digests));
  const rows = digests.length;
  const places = new Int32Array(rows);
  const starts = [0];
  const hash = createHash('sha256').update('[');
  let found = 0;
  const [first, ...others] = looks.flat();
  const primary = laidOut(first!, rows);
  await meetRows(store, first!, rowTargets(digests), {
    put(place, file, row, sha256) {
      hash.update(`${found === 0 ? '' : ','}${JSON.stringify([sha256, labelOf[place]])}`);
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
    const part = laidOut(other, rows);
    await meetRows(store, other, rowTargets(digests), {
      put(place, file, row) {
        part.fileOf[rowAt[place]!] = file;
        part.rowOf[rowAt[place]!] = row;
      },
      fileEnds: (file) => part.files.push(file),
    });
    parts.push(part);
  }
  const labels = Array.from(places, (place) => labelOf[place]!);
  const width = looks[0]!.length;
  return {
    places,
    labels,
    digest: hash.update(']').digest('hex'),
    firsts,
    starts,
    looks: looks.map((_, look) => parts.slice(look * width, (look + 1) * width)),
  };
}

const laidOut = ({ width }: StoredPart, rows: number) => ({
  width,
  files: [] as FileEntry[],
  fileOf: new Int32Array(rows),
  rowOf: new Int32Array(rows),
});

/** Goes through the rows of a part's shards in their order, and tells which place each is wanted for. */
async function meetRows(
  store: string,
  { set, pooling }: StoredPart,
  targets: RowTargets,
  told: {
    readonly put: (place: number, file: number, row: number, sha256: string) => void;
    readonly fileEnds: (file: FileEntry) => void;
  },
): Promise<void> {
  let number = 0;
  for (const { files } of set.shards) {
    const { rows: entry, [pooling]: file } = files;
    // Written without that pooling: another shard has these rows with it.
    if (file === undefined) continue;
    let row = 0;
    for (const { rows } of decodeShard(await readVerified(store, entry), join(store, entry.name))) {
      for (const { sha256 } of rows) {
        targets.meet(sha256, (place) => told.put(place, number, row, sha256));
        row++;
      }
    }
    told.fileEnds(file);
    number++;
  }
  if (targets.missing > 0) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${store} lacks the features of ${targets.missing} images. Run "permafrost extract" again.`,
    );
  }
}

import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import type { Pooling, Split } from '../../core/sample.ts';
import { contentIndex, type ContentIndex } from '../format/content-index.ts';
import type { FileEntry } from '../format/manifest.ts';
import { decodeShard, type StoredSample } from '../format/shard.ts';
import type { RowsOrigin } from './rows.ts';
import { locateRows, type LocatedRows } from './single.ts';
import { currentSet } from './stored-parts.ts';

/**
 * Single rows of the current set, without reading the others. What is learned of the store is kept: where each content
 * lies (about 60 bytes a row), and which files were verified. A file is verified whole when the first of its rows is
 * asked for (64 MiB take some 60 ms); a row after that costs one small read.
 */
export interface RowAccess {
  /**
   * Features (width float32 numbers) by id, the first 16 hex digits of the image's SHA-256; ids that the set lacks are
   * left out.
   */
  rowsById(ids: readonly string[], pooling: Pooling): Promise<ReadonlyMap<string, Float32Array>>;
  /** The data set's images of one class, of one split or of all, in the order of their paths. */
  samplesOfClass(label: string, split?: Split): Promise<readonly StoredSample[]>;
  /**
   * The same with their features: row i of X (n, width) is that of samples[i]. Throws STORE_CORRUPT where one is
   * missing.
   */
  rowsOfClass(
    label: string,
    pooling: Pooling,
    split?: Split,
  ): Promise<{ readonly X: Matrix; readonly samples: readonly StoredSample[] }>;
}

/** Where the features of one pooling lie: content n in row rowOf[n] of files[fileOf[n]]. */
interface Places {
  readonly index: ContentIndex;
  readonly files: readonly FileEntry[];
  readonly fileOf: Int32Array;
  readonly rowOf: Int32Array;
}

/** Opens the current set of a store for reading single rows; reads nothing yet. Throws STORE_EMPTY. */
export function openRows(store: RowsOrigin): RowAccess {
  const set = currentSet(store);
  const places = new Map<Pooling, Promise<Places>>();
  const located = new Map<string, Promise<LocatedRows>>();

  /** Remembers a promise unless it fails: what could not be read is tried again. */
  function once<K, T>(known: Map<K, Promise<T>>, key: K, make: () => Promise<T>): Promise<T> {
    const found = known.get(key) ?? make();
    known.set(key, found);
    found.catch(() => known.delete(key));
    return found;
  }

  async function findPlaces(pooling: Pooling): Promise<Places> {
    const index = contentIndex();
    const files: FileEntry[] = [];
    const shards = set.shards.filter((shard) => shard.files[pooling] !== undefined);
    const rows = shards.reduce((sum, shard) => sum + shard.rows, 0);
    const [fileOf, rowOf] = [new Int32Array(rows), new Int32Array(rows)];
    for (const shard of shards) {
      const { rows: entry, [pooling]: file } = shard.files;
      files.push(file!);
      let row = 0;
      for (const { rows } of decodeShard(await store.files.read(entry), join(store.path, entry.name))) {
        for (const { sha256 } of rows) {
          const known = index.size;
          const content = index.add(sha256);
          if (content === known) {
            fileOf[content] = files.length - 1;
            rowOf[content] = row;
          }
          row++;
        }
      }
    }
    return { index, files, fileOf, rowOf };
  }

  /** Reads contents by their numbers; `put` gets each with its place in `contents`. */
  async function readContents(
    pooling: Pooling,
    { files, fileOf, rowOf }: Places,
    contents: readonly number[],
    put: (values: Float32Array, i: number) => void,
  ): Promise<void> {
    const perFile = new Map<number, number[]>();
    for (const [i, content] of contents.entries()) {
      const file = fileOf[content]!;
      const wanted = perFile.get(file);
      if (wanted === undefined) perFile.set(file, [i]);
      else wanted.push(i);
    }
    for (const [file, wanted] of perFile) {
      const entry = files[file]!;
      const width = set.widths[pooling];
      const rows = await once(located, entry.name, () => locateRows(store.files, entry, width));
      const numbers = wanted.map((i) => rowOf[contents[i]!]!);
      await rows.read(numbers, (values, at) => put(values, wanted[at]!));
    }
  }

  const access: RowAccess = {
    async rowsById(ids, pooling) {
      const found = await once(places, pooling, () => findPlaces(pooling));
      const known = ids.flatMap((id) => {
        const content = found.index.findId(id);
        return content < 0 ? [] : [{ id, content }];
      });
      const rows = new Map<string, Float32Array>();
      const contents = known.map(({ content }) => content);
      await readContents(pooling, found, contents, (values, i) => rows.set(known[i]!.id, values));
      return rows;
    },
    async samplesOfClass(label, split) {
      const found: StoredSample[] = [];
      for (const sample of await store.samples())
        if (sample.label === label && (split === undefined || sample.split === split)) found.push(sample);
      return found;
    },
    async rowsOfClass(label, pooling, split) {
      const samples = await access.samplesOfClass(label, split);
      const found = await once(places, pooling, () => findPlaces(pooling));
      const contents = samples.map(({ sha256, path }) => {
        const content = found.index.find(sha256);
        if (content >= 0) return content;
        throw new PermafrostError(
          'STORE_CORRUPT',
          `${store.path} lacks the features of ${path}. Run "permafrost extract" again.`,
        );
      });
      const X = matrix(samples.length, set.widths[pooling]);
      await readContents(pooling, found, contents, (values, i) => X.data.set(values, i * X.cols));
      return { X, samples };
    },
  };
  return access;
}

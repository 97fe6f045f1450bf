import { join } from 'node:path';
import { generalisedMeans, widthOf, type Pooling } from '../../core/sample.ts';
import { contentIndex, type ContentIndex } from '../format/content-index.ts';
import { newestFirst, type FileEntry } from '../format/manifest.ts';
import { decodeShard } from '../format/shard.ts';
import { isStoreChanged, readAgain, setNow, storeChanged } from './changed.ts';
import type { RowsOrigin } from './rows.ts';
import { locateRows, type LocatedRows } from './single.ts';
import { currentSets, readFor, type WantedSet } from './stored-parts.ts';

/**
 * Single rows of one set, without reading the others. Where each content lies is kept: about 60 bytes a row. A
 * file is verified whole on its first use (64 MiB take some 60 ms); a row after that costs one small read.
 */
export interface RowAccess {
  /**
   * Features (width float32 numbers) by id, the first 16 hex digits of the SHA-256; unknown ids are left out. Throws
   * STORE_CORRUPT, and STORE_CHANGED where a writer has removed some.
   */
  rowsById(ids: readonly string[], pooling: Pooling): Promise<ReadonlyMap<string, Float32Array>>;
}

/** Where the features of one pooling lie: content n in row rowOf[n] of files[fileOf[n]]. */
interface Places {
  readonly index: ContentIndex;
  readonly files: readonly FileEntry[];
  readonly fileOf: Int32Array;
  readonly rowOf: Int32Array;
}

/** Opens a set, by default the current one, for reading single rows; reads nothing yet. Throws STORE_EMPTY. */
export function openRows(store: RowsOrigin, wanted: WantedSet = currentSets(store)[0]): RowAccess {
  let { set } = wanted;
  /** True once a writer has moved rows: then an id that is not found may have been removed. */
  let isMoved = false;
  const places = new Map<Pooling, Promise<Places>>();
  const located = new Map<string, Promise<LocatedRows>>();

  /** Remembers a promise unless it fails: what could not be read is tried again. */
  function once<K, T>(known: Map<K, Promise<T>>, key: K, make: () => Promise<T>): Promise<T> {
    const found = known.get(key) ?? make();
    known.set(key, found);
    found.catch(() => known.delete(key));
    return found;
  }

  function meansOf(map: Float32Array): Float32Array {
    const means = new Float32Array(widthOf(set.widths, 'gem'));
    generalisedMeans(map, means.length, means);
    return means;
  }

  async function findPlaces(pooling: Pooling): Promise<Places> {
    const index = contentIndex();
    const files: FileEntry[] = [];
    const shards = newestFirst(set).filter((shard) => shard.files[pooling] !== undefined);
    // No more than there are bytes, whatever their seals say, which reading compares.
    const rows = shards.reduce((sum, { rows, files }) => sum + Math.min(rows, files.rows.bytes), 0);
    const [fileOf, rowOf] = [new Int32Array(rows), new Int32Array(rows)];
    for (const shard of shards) {
      const { rows: entry, [pooling]: file } = shard.files;
      files.push(file!);
      let row = 0;
      for (const { rows } of decodeShard(await store.files.read(entry), join(store.path, entry.name), shard)) {
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

  /** The rows that are found, and which ids are not. */
  async function find(ids: readonly string[], asked: Pooling) {
    // A pooling that no longer counts is read where older shards have it.
    const pooling = readFor(wanted, asked) ?? asked;
    const { index, files, fileOf, rowOf } = await once(places, pooling, () => findPlaces(pooling));
    const perFile = new Map<number, { readonly id: string; readonly row: number }[]>();
    const unknown: string[] = [];
    for (const id of ids) {
      const content = index.findId(id);
      if (content < 0) {
        unknown.push(id);
        continue;
      }
      const some = perFile.get(fileOf[content]!) ?? [];
      perFile.set(fileOf[content]!, some);
      some.push({ id, row: rowOf[content]! });
    }
    const rows = new Map<string, Float32Array>();
    for (const [file, some] of perFile) {
      const entry = files[file]!;
      const width = widthOf(set.widths, pooling);
      const found = await once(located, entry.name, () => locateRows(store.files, entry, width));
      const numbers = some.map(({ row }) => row);
      await found.read(numbers, (values, i) => rows.set(some[i]!.id, pooling === asked ? values : meansOf(values)));
    }
    return { rows, unknown };
  }

  return {
    async rowsById(ids, pooling) {
      const { rows, unknown } = await readAgain(async () => {
        try {
          return await find(ids, pooling);
        } catch (error) {
          if (isStoreChanged(error)) await move();
          throw error;
        }
      });
      if (isMoved && unknown.length > 0)
        throw storeChanged(store.path, `the features of ${unknown[0]} are not there any more`);
      return rows;
    },
  };

  /** Takes the set as it is now, and looks for its rows anew. */
  async function move(): Promise<void> {
    const now = await setNow(store.path, set);
    set = now;
    isMoved = true;
    places.clear();
    located.clear();
  }
}

import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { generalisedMeans } from '../../core/sample.ts';
import { decodeFloat16 } from '../format/float16.ts';
import type { FileEntry } from '../format/manifest.ts';
import { decodeShard } from '../format/shard.ts';
import { isStoreChanged } from './changed.ts';
import { fileBuffer, type FileBuffer, type StoreFiles } from './file.ts';
import type { PartLayout } from './find-rows.ts';
import { locateRows, type LocatedRows } from './single.ts';

/** Where rows that are read go: row r into `out` from offsetOf(r) on, times its scale. */
export interface Destination {
  readonly out: Float32Array;
  readonly offsetOf: (row: number) => number;
  readonly scales?: Float32Array | undefined;
}

export interface PartReader {
  /** Bytes that reading takes at once: the largest file. */
  readonly bytes: number;
  /** Reads rows [from, to), or those of some numbers, each once. Throws STORE_CORRUPT, STORE_CHANGED. */
  read(from: number, to: number, into: Destination): Promise<void>;
  readRows(rows: Iterable<number>, into: Destination): Promise<void>;
}

/** What looking one row up costs, as bytes that could be read in a row in that time (measured: 20 to 30 µs). */
const LOOK_UP_BYTES = 40_000;

/** How often rows are looked for anew, without one that could be read in between, because a writer moved them. */
const TRIES = 10;

/** Reads one part of laid out rows through one buffer: a file of which many rows are wanted whole, else row by row. */
export function partReader(store: StoreFiles, layout: PartLayout): PartReader {
  const { width: own, mapWidth } = layout;
  const width = mapWidth ?? own;
  const put = mapWidth === undefined ? putValues : putMeans(mapWidth, own);
  let at = openedLayout(store, layout);

  async function readWhole(entry: FileEntry, rows: Int32Array, into: Destination): Promise<void> {
    const { rowOf } = at.layout;
    let next = 0;
    let first = 0;
    for (const { length, features } of decodeShard(await at.bytesOf(entry), join(store.path, entry.name))) {
      if (features?.width !== width) {
        throw new PermafrostError(
          'STORE_CORRUPT',
          `${store.path}: ${entry.name} has the width ${features?.width}, not ${width}.`,
        );
      }
      for (; next < rows.length && rowOf[rows[next]!]! < first + length; next++) {
        const from = (rowOf[rows[next]!]! - first) * width;
        put(features.values.subarray(from, from + width), rows[next]!, into);
      }
      first += length;
    }
    if (next < rows.length)
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${store.path}: ${entry.name} has ${first} rows, and row ${rowOf[rows[next]!]!} is needed. Run "permafrost verify".`,
      );
  }

  async function readSome(entry: FileEntry, rows: Int32Array, into: Destination): Promise<void> {
    const { located, bytesOf, layout } = at;
    let places = located.get(entry.name);
    if (places === undefined)
      located.set(entry.name, (places = await locateRows(store, entry, width, () => bytesOf(entry))));
    const wanted = Array.from(rows, (row) => layout.rowOf[row]!);
    await places.read(wanted, (values, i) => put(values, rows[i]!, into));
  }

  async function readRows(wanted: Iterable<number>, into: Destination): Promise<void> {
    let left = rowsByFile(wanted, at.layout);
    for (let tries = 0; left.length > 0;) {
      const { file, rows } = left[0]!;
      const entry = at.layout.files[file]!;
      const whole = rows.length * (2 * width + LOOK_UP_BYTES) >= entry.bytes;
      try {
        await (whole ? readWhole : readSome)(entry, rows, into);
        left = left.slice(1);
        tries = 0;
      } catch (error) {
        if (!isStoreChanged(error) || ++tries > TRIES) throw error;
        at = openedLayout(store, await at.layout.again());
        left = rowsByFile(
          left.flatMap((some) => [...some.rows]),
          at.layout,
        );
      }
    }
  }

  return {
    bytes: layout.files.reduce((most, { bytes }) => Math.max(most, bytes), 0),
    read: (from, to, into) => readRows(numbersFrom(from, to), into),
    readRows,
  };
}

/** Where rows lie, with the one buffer for their files, and the files whose rows were located. */
function openedLayout(store: StoreFiles, layout: PartLayout) {
  let buffer: FileBuffer | undefined;
  return {
    layout,
    located: new Map<string, LocatedRows>(),
    bytesOf: (entry: FileEntry): Promise<Buffer> => store.read(entry, (buffer ??= fileBuffer())),
  };
}

/** Rows by the file that holds them, those of one file in the order in which they lie there. */
function rowsByFile(
  wanted: Iterable<number>,
  { fileOf, rowOf }: PartLayout,
): { readonly file: number; readonly rows: Int32Array }[] {
  const lists = new Map<number, number[]>();
  for (const row of wanted) {
    const list = lists.get(fileOf[row]!);
    if (list === undefined) lists.set(fileOf[row]!, [row]);
    else list.push(row);
  }
  return Array.from(lists, ([file, rows]) => ({
    file,
    rows: Int32Array.from(rows).sort((a, b) => rowOf[a]! - rowOf[b]!),
  }));
}

/** Puts of each map its generalised means. */
function putMeans(mapWidth: number, channels: number): typeof putValues {
  const map = new Float32Array(mapWidth);
  const means = new Float32Array(channels);
  return (values, row, into) => {
    if (values instanceof Uint16Array) decodeFloat16(values, map);
    else map.set(values);
    generalisedMeans(map, channels, means);
    putValues(means, row, into);
  };
}

function* numbersFrom(from: number, to: number): Generator<number> {
  for (let row = from; row < to; row++) yield row;
}

function putValues(values: Uint16Array | Float32Array, row: number, { out, offsetOf, scales }: Destination): void {
  const at = offsetOf(row);
  const scale = scales?.[row] ?? 1;
  if (values instanceof Uint16Array) decodeFloat16(values, out, at, scale);
  else if (scale === 1) out.set(values, at);
  else for (let j = 0; j < values.length; j++) out[at + j] = values[j]! * scale;
}

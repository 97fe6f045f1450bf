import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { stampText } from '../../core/file-stamp.ts';
import { decodeFloat16 } from '../format/float16.ts';
import { locateRows, type LocatedRows } from './located-rows.ts';
import type { FileEntry } from '../format/manifest.ts';
import type { LaidOutPart } from './row-layout.ts';
import { decodeShard } from '../format/shard.ts';

/**
 * Where the rows that are read go: row r of the stream into `out` from (r - first) · cols + column on, times its scale.
 */
export interface Destination {
  readonly first: number;
  readonly out: Float32Array;
  readonly cols: number;
  readonly column: number;
  readonly scales: Float32Array | undefined;
}

export interface PartReader {
  /** Bytes that reading takes at once: the largest file. */
  readonly bytes: number;
  /** Reads rows [from, to) of the stream. Throws STORE_CORRUPT. */
  read(from: number, to: number, into: Destination): Promise<void>;
}

/**
 * What looking one row up costs, in bytes that could be read one after another in that time (measured: 20 to 30 µs).
 */
const LOOK_UP_BYTES = 40_000;

/**
 * Reads one part of the rows of a stream. A file of which many rows are wanted is read whole into one buffer, and
 * compared with its digest when it is read first, later with its size, times and inode; where the same file is asked
 * for again it is still there. Of a file with few wanted rows these alone are read.
 */
export function partReader(store: string, { width, files, fileOf, rowOf }: LaidOutPart): PartReader {
  const mostBytes = files.reduce((most, { bytes }) => Math.max(most, bytes), 0);
  const verified = new Map<string, string>();
  const located = new Map<string, LocatedRows>();
  let buffer: Buffer | undefined;
  /** Name and stamp of the file in the buffer. */
  let held = '';

  /** The file's bytes, in the one buffer that all files are read into. */
  async function bytesOf(entry: FileEntry): Promise<Buffer> {
    buffer ??= Buffer.allocUnsafeSlow(mostBytes);
    const path = join(store, entry.name);
    let stamp: string;
    let length = entry.bytes;
    try {
      const handle = await open(path);
      try {
        const facts = await handle.stat({ bigint: true });
        stamp = stampText(facts);
        if (held !== `${entry.name} ${stamp}`) {
          held = '';
          length = 0;
          if (facts.size === BigInt(entry.bytes))
            ({ bytesRead: length } = await handle.read(buffer, 0, entry.bytes, 0));
        }
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${path} cannot be read: ${reasonOf(cause)}. Restore it, or extract again into a new store.`,
        { cause },
      );
    }
    const bytes = buffer.subarray(0, length);
    const known = verified.get(entry.name) === stamp && length === entry.bytes;
    if (!known && createHash('sha256').update(bytes).digest('hex') !== entry.sha256) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${path} is not what was written (expected ${entry.bytes} bytes with SHA-256 ${entry.sha256.slice(0, 16)}…). Restore it, or extract again into a new store.`,
      );
    }
    verified.set(entry.name, stamp);
    held = `${entry.name} ${stamp}`;
    return bytes;
  }

  async function readWhole(entry: FileEntry, rows: Int32Array, into: Destination): Promise<void> {
    let at = 0;
    let first = 0;
    for (const { length, features } of decodeShard(await bytesOf(entry), join(store, entry.name))) {
      if (features?.width !== width) {
        throw new PermafrostError(
          'STORE_CORRUPT',
          `${store}: ${entry.name} has the width ${features?.width}, not ${width}.`,
        );
      }
      for (; at < rows.length && rowOf[rows[at]!]! < first + length; at++) {
        const from = (rowOf[rows[at]!]! - first) * width;
        put(features.values.subarray(from, from + width), rows[at]!, into);
      }
      first += length;
    }
  }

  async function readSome(entry: FileEntry, rows: Int32Array, into: Destination): Promise<void> {
    let places = located.get(entry.name);
    if (places === undefined)
      located.set(entry.name, (places = await locateRows(store, entry, width, () => bytesOf(entry))));
    const wanted = Array.from(rows, (row) => rowOf[row]!);
    await places.read(wanted, (values, i) => put(values, rows[i]!, into));
  }

  return {
    bytes: mostBytes,
    async read(from, to, into) {
      for (const [file, rows] of rowsByFile(from, to)) {
        const entry = files[file]!;
        const whole = rows.length * (2 * width + LOOK_UP_BYTES) >= entry.bytes;
        await (whole ? readWhole : readSome)(entry, rows, into);
      }
    },
  };

  /**
   * Rows [from, to) of the stream by the file that holds them, those of one file in the order in which they lie there.
   */
  function rowsByFile(from: number, to: number): ReadonlyMap<number, Int32Array> {
    const lists = new Map<number, number[]>();
    for (let row = from; row < to; row++) {
      const list = lists.get(fileOf[row]!);
      if (list === undefined) lists.set(fileOf[row]!, [row]);
      else list.push(row);
    }
    return new Map(
      [...lists].map(([file, rows]) => [file, Int32Array.from(rows).sort((a, b) => rowOf[a]! - rowOf[b]!)]),
    );
  }
}

/** A stored row as float32 in its place. */
function put(
  values: Uint16Array | Float32Array,
  row: number,
  { first, out, cols, column, scales }: Destination,
): void {
  const at = (row - first) * cols + column;
  const scale = scales?.[row] ?? 1;
  if (values instanceof Uint16Array) decodeFloat16(values, out, at, scale);
  else for (let j = 0; j < values.length; j++) out[at + j] = values[j]! * scale;
}

import { open, type FileHandle } from 'node:fs/promises';

/** The rows that a graph may hold, by their numbers, and numbers a row. */
export interface GraphShape {
  readonly rows: number;
  readonly cols: number;
}

/** Bytes of the numbers at the beginning, as hnswlib writes them (hnswalg.h, saveIndex), little-endian. */
const HEAD_BYTES = 96;
/** A link is the number of a row; before the links of a row their count, with marks in its upper half; a label. */
const [LINK_BYTES, COUNT_BYTES, LABEL_BYTES] = [4, 4, 8];
/** Bytes of rows that are looked at at once. */
const CHUNK_BYTES = 2 ** 24;
/** Levels of a graph of 2^32 rows, and more. */
const MOST_LEVELS = 64;
/** Links of a row that were ever asked for, and more. */
const MOST_LINKS = 2 ** 12;

const fail = (found: string): never => {
  throw new Error(found);
};

async function bytesAt(file: FileHandle, offset: number, length: number): Promise<DataView> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) fail(`no byte ${offset + filled}`);
    filled += bytesRead;
  }
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}

interface Head {
  readonly count: number;
  readonly elementBytes: number;
  readonly topLevel: number;
  readonly entry: number;
  /** Most links of a row above the ground, and on it. */
  readonly most: number;
  readonly mostOnGround: number;
}

function headOf(view: DataView, size: number, { rows, cols }: GraphShape): Head {
  const numberAt = (at: number): number => Number(view.getBigUint64(at, true));
  const [first, room, count, elementBytes, labelAt, dataAt] = [0, 8, 16, 24, 32, 40].map(numberAt) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [topLevel, entry] = [view.getInt32(48, true), view.getUint32(52, true)];
  const [most, mostOnGround] = [56, 64].map(numberAt) as [number, number];
  if (count < 1 || count > rows || room < count || room > rows) fail(`${count} of ${room} rows, of ${rows} at most`);
  if (most > MOST_LINKS || mostOnGround > MOST_LINKS) fail(`${most} and ${mostOnGround} links`);
  const [linksBytes, dataBytes] = [COUNT_BYTES + LINK_BYTES * mostOnGround, 4 * cols];
  const isLaidOut =
    first === 0 && dataAt === linksBytes && labelAt === dataAt + dataBytes && elementBytes === labelAt + LABEL_BYTES;
  if (!isLaidOut) fail(`rows of ${elementBytes} bytes where ${cols} numbers are expected`);
  if (HEAD_BYTES + count * (elementBytes + COUNT_BYTES) > size) fail(`${size} bytes for ${count} rows`);
  if (topLevel < 0 || topLevel > MOST_LEVELS || entry >= count) fail(`the entry ${entry} on level ${topLevel}`);
  return { count, elementBytes, topLevel, entry, most, mostOnGround };
}

/** Throws unless the links that begin at `at` lead to rows for which `isThere` holds. */
function checkLinks(view: DataView, at: number, most: number, isThere: (row: number) => boolean): void {
  const links = view.getUint16(at, true);
  if (links > most) fail(`${links} links of a row`);
  for (let i = 0; i < links; i++) {
    const row = view.getUint32(at + COUNT_BYTES + LINK_BYTES * i, true);
    if (!isThere(row)) fail(`a link to row ${row}`);
  }
}

/** The level of each row, and where its links above the ground begin in `view`. */
function levelsIn(view: DataView, { count, topLevel, most }: Head): { levels: Uint8Array; places: Uint32Array } {
  const [levels, places] = [new Uint8Array(count), new Uint32Array(count)];
  const levelBytes = COUNT_BYTES + LINK_BYTES * most;
  let at = 0;
  for (let row = 0; row < count; row++) {
    const length = view.getUint32(at, true);
    places[row] = at + COUNT_BYTES;
    at += COUNT_BYTES + length;
    if (length % levelBytes !== 0 || length / levelBytes > topLevel) fail(`${length} bytes of links above the ground`);
    levels[row] = length / levelBytes;
  }
  if (at !== view.byteLength) fail(`${view.byteLength} bytes of links where ${at} are needed`);
  return { levels, places };
}

/**
 * Throws an Error unless all that hnswlib follows in a file of its own lies in it: it trusts what is there, and one
 * wrong link ends the process. Reads the file once, and beside it about 5 bytes a row.
 */
export async function checkGraphFile(path: string, shape: GraphShape): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = headOf(await bytesAt(file, 0, HEAD_BYTES), size, shape);
    const { count, elementBytes, topLevel, entry, most, mostOnGround } = head;
    const rest = HEAD_BYTES + count * elementBytes;
    const above = await bytesAt(file, rest, size - rest);
    const { levels, places } = levelsIn(above, head);
    if (levels[entry] !== topLevel) fail(`an entry on level ${levels[entry]}, not ${topLevel}`);
    for (let row = 0; row < count; row++)
      for (let level = 1; level <= levels[row]!; level++) {
        const at = places[row]! + (level - 1) * (COUNT_BYTES + LINK_BYTES * most);
        checkLinks(above, at, most, (other) => other < count && levels[other]! >= level);
      }
    const step = Math.max(1, Math.floor(CHUNK_BYTES / elementBytes));
    for (let first = 0; first < count; first += step) {
      const some = Math.min(step, count - first);
      const view = await bytesAt(file, HEAD_BYTES + first * elementBytes, some * elementBytes);
      for (let at = 0; at < view.byteLength; at += elementBytes) {
        checkLinks(view, at, mostOnGround, (other) => other < count);
        const label = view.getBigUint64(at + elementBytes - LABEL_BYTES, true);
        if (label >= BigInt(shape.rows)) fail(`the row ${label} of ${shape.rows}`);
      }
    }
  } finally {
    await file.close();
  }
}

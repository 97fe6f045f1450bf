/**
 * Whether the numbers in an Arrow IPC file stay within it (Arrow columnar format 1.5, "IPC File Format"; Schema.fbs,
 * Message.fbs, File.fbs). arrow-js trusts them: a length of 2^40 keeps it busy without end, whatever the digest says.
 */

/** The columns of a list or a shard are ten; their metadata are a handful. */
const [MOST_FIELDS, MOST_METADATA] = [64, 64];
/** The types of columns that are written here, by their numbers in Schema.fbs. */
const [INT, FLOAT, UTF8, FIXED_LIST] = [2, 3, 5, 16];
const RECORD_BATCH = 3;
/** The magic at a file's end, and the length of the footer before it. */
const TAIL_BYTES = 10;

const fail = (found: string): never => {
  throw new Error(found);
};

/** A table of a flatbuffer; a DataView throws where it would be read outside. */
interface Table {
  /** Where a field lies, by its number; undefined where it has its default. */
  readonly place: (field: number) => number | undefined;
  /** The table, vector or text that a field leads to. */
  readonly target: (field: number) => number | undefined;
}

function tableAt(view: DataView, at: number): Table {
  const fields = at - view.getInt32(at, true);
  const bytes = view.getUint16(fields, true);
  const place = (field: number): number | undefined => {
    const entry = 4 + 2 * field;
    const offset = entry + 2 <= bytes ? view.getUint16(fields + entry, true) : 0;
    return offset === 0 ? undefined : at + offset;
  };
  return {
    place,
    target(field) {
      const from = place(field);
      return from === undefined ? undefined : from + view.getUint32(from, true);
    },
  };
}

const rootOf = (view: DataView): Table => tableAt(view, view.getUint32(0, true));

/** The places of the elements of a vector, each of `size` bytes; none where there is no vector. */
function elements(view: DataView, at: number | undefined, size: number, most = Infinity): number[] {
  if (at === undefined) return [];
  const count = view.getUint32(at, true);
  if (count > most || at + 4 + count * size > view.byteLength) fail(`a vector of ${count} elements`);
  return Array.from({ length: count }, (_, i) => at + 4 + i * size);
}

const tablesIn = (view: DataView, at: number | undefined, most: number): Table[] =>
  elements(view, at, 4, most).map((from) => tableAt(view, from + view.getUint32(from, true)));

/** A number of 64 bits that is a count of something in the file. */
function countAt(view: DataView, at: number | undefined, most: number, what: string): number {
  const count = at === undefined ? 0n : view.getBigInt64(at, true);
  return count < 0n || count > BigInt(most) ? fail(`${what} of ${count}`) : Number(count);
}

/** A column: what its values take. */
interface Column {
  readonly type: number;
  /** Bits of a number, or values of a list. */
  readonly size: number;
  readonly items: readonly Column[];
}

function columnsOf(view: DataView, schema: Table): readonly Column[] {
  let left = MOST_FIELDS;
  for (const { target } of tablesIn(view, schema.target(2), MOST_METADATA))
    for (const field of [0, 1]) elements(view, target(field), 1);
  const columns = (at: number | undefined, levels: number): Column[] =>
    tablesIn(view, at, left).map((field): Column => {
      if (--left < 0 || levels === 0) fail('columns within columns');
      elements(view, field.target(0), 1);
      if (field.place(4) !== undefined) fail('a dictionary');
      const kind = field.place(2);
      const type = kind === undefined ? 0 : view.getUint8(kind);
      const described = field.target(3);
      const told = described === undefined ? undefined : tableAt(view, described).place(0);
      const items = columns(field.target(5), levels - 1);
      switch (type) {
        case INT:
        case FIXED_LIST:
          return { type, size: told === undefined ? 0 : view.getInt32(told, true), items };
        case FLOAT:
          return { type, size: 16 << (told === undefined ? 0 : view.getInt16(told, true)), items };
        case UTF8:
          return { type, size: 0, items };
        default:
          return fail(`a column of the type ${type}`);
      }
    });
  return columns(schema.target(1), 2);
}

/** Throws unless the nodes and buffers of a record batch are those of its columns, and lie in its body. */
function checkBatch(view: DataView, batch: Table, columns: readonly Column[], bodyBytes: number): void {
  if (batch.place(3) !== undefined || batch.place(4) !== undefined) fail('compressed buffers');
  const nodes = elements(view, batch.target(1), 16, MOST_FIELDS);
  const buffers = elements(view, batch.target(2), 16, 3 * MOST_FIELDS);
  let [node, buffer, taken] = [0, 0, 0];
  const nextBuffer = (needed: number): void => {
    const at = buffers[buffer++] ?? fail('too few buffers');
    const offset = countAt(view, at, bodyBytes, 'a buffer at the offset');
    const length = countAt(view, at + 8, bodyBytes - offset, 'a buffer with the length');
    taken += length;
    if (length < needed) fail(`a buffer of ${length} bytes where ${needed} are needed`);
  };
  const check = (column: Column, rows: number): void => {
    const at = nodes[node++] ?? fail('too few columns');
    const length = view.getBigInt64(at, true);
    if (length !== BigInt(rows)) fail(`a column of ${length} values for ${rows} rows`);
    if (view.getBigInt64(at + 8, true) !== 0n) fail('values that are missing');
    nextBuffer(0); // which of them are missing
    const { type, size, items } = column;
    if (type === UTF8) {
      nextBuffer(rows === 0 ? 0 : 4 * (rows + 1));
      nextBuffer(0);
    } else if (type === FIXED_LIST) {
      if (items.length !== 1 || size < 0 || rows * size > bodyBytes) fail(`lists of ${size} values`);
      check(items[0]!, rows * size);
    } else {
      if (![8, 16, 32, 64].includes(size)) fail(`numbers of ${size} bits`);
      nextBuffer((rows * size) / 8);
    }
  };
  const rows = countAt(view, batch.place(0), bodyBytes, 'a number of rows');
  for (const column of columns) check(column, rows);
  if (node !== nodes.length || buffer !== buffers.length || taken > bodyBytes) fail('more buffers than columns');
}

/** A part of the file by itself, so that nothing in it leads outside. */
function part(bytes: Uint8Array, from: number, length: number): DataView {
  if (from < 0 || length < 0 || from + length > bytes.length) fail(`${length} bytes at ${from}`);
  return new DataView(bytes.buffer, bytes.byteOffset + from, length);
}

/**
 * Throws an Error unless all that a reader is led to lies in the file, and the record batches together are no larger
 * than it is: then reading it takes time and memory that its length bounds.
 */
export function checkArrowStructure(bytes: Uint8Array): void {
  const end = bytes.length - TAIL_BYTES;
  const footerBytes = part(bytes, end, 4).getInt32(0, true);
  const footerView = part(bytes, end - footerBytes, footerBytes);
  const footer = rootOf(footerView);
  const schema = footer.target(1) ?? fail('no schema');
  const columns = columnsOf(footerView, tableAt(footerView, schema));
  if (elements(footerView, footer.target(2), 24).length > 0) fail('a dictionary');
  let left = bytes.length;
  for (const block of elements(footerView, footer.target(3), 24)) {
    const offset = countAt(footerView, block, bytes.length, 'a record batch at the offset');
    const head = part(bytes, offset, 8);
    // Files of before Arrow 0.15 begin a message with its length alone.
    const isMarked = head.getInt32(0, true) === -1;
    const [from, length] = isMarked ? [offset + 8, head.getInt32(4, true)] : [offset + 4, head.getInt32(0, true)];
    const view = part(bytes, from, length);
    const message = rootOf(view);
    const kind = message.place(1);
    if (kind === undefined || view.getUint8(kind) !== RECORD_BATCH) fail('no record batch where one should be');
    const bodyBytes = countAt(view, message.place(3), bytes.length - from - length, 'the body of a record batch');
    left -= length + bodyBytes;
    if (left < 0) fail('record batches that lie on each other');
    checkBatch(view, tableAt(view, message.target(2) ?? fail('an empty message')), columns, bodyBytes);
  }
}

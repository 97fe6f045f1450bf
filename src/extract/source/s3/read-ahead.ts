/** Reads the bytes from `offset`, `length` of them, or fewer at the end. */
type ReadPart = (offset: number, length: number) => Promise<Buffer>;

/** Bytes between two parts that are passed over: headers, and small files beside an image. */
const GAP_BYTES = 2 ** 16;
/** Windows that are kept: while one is used up the next one comes. */
const KEPT = 2;

interface Window {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Buffer>;
}

/**
 * Reads parts of one object that are asked for one behind the other in windows of `windowBytes`, each with one request;
 * others one by one. At most two windows are kept.
 */
export function readAhead(read: ReadPart, windowBytes: number): ReadPart {
  let windows: Window[] = [];
  let lastEnd = -1;
  return async (offset, length) => {
    const follows = lastEnd >= 0 && offset >= lastEnd && offset - lastEnd <= GAP_BYTES;
    lastEnd = offset + length;
    let window = windows.find(({ start, end }) => start <= offset && offset + length <= end);
    if (window === undefined) {
      if (!follows || length >= windowBytes) return read(offset, length);
      window = { start: offset, end: offset + windowBytes, bytes: read(offset, windowBytes) };
      windows = [window, ...windows].slice(0, KEPT);
      const own = window;
      own.bytes.catch(() => (windows = windows.filter((one) => one !== own))); // whoever waits for it hears of it
    }
    const bytes = await window.bytes;
    return bytes.subarray(offset - window.start, offset - window.start + length);
  };
}

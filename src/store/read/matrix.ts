import { row } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import type { FoundRows, PickableRows, ReadFeatures } from './blocks.ts';
import type { PartLayout } from './find-rows.ts';
import { partReader } from './part.ts';

/** Rows, and each view, as one matrix in the order of their samples. With `shared` threads share its memory. */
export async function matrixOfRows({ rows, cols, layout, files }: FoundRows, shared: boolean): Promise<ReadFeatures> {
  const { places, views } = layout;
  const bytes = 4 * rows * cols;
  let largest = 0;

  async function read(parts: readonly PartLayout[]): Promise<PickableRows> {
    const out = new Float32Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
    let column = 0;
    for (const part of parts) {
      const left = column;
      const reader = partReader(files, part);
      await reader.read(0, rows, { out, offsetOf: (row) => places[row]! * cols + left });
      largest = Math.max(largest, reader.bytes);
      column += part.width;
    }
    const X = { data: out, rows, cols };
    return {
      ...matrixRows(X),
      pick(wanted, into) {
        wanted.forEach((one, i) => into.set(row(X, one), i * cols));
        return Promise.resolve();
      },
    };
  }

  const all: PickableRows[] = [];
  for (const parts of views) all.push(await read(parts));
  const [images, ...others] = all;
  const openBytes = bytes * views.length;
  return {
    images: images!,
    views: others,
    places: Int32Array.from({ length: rows }, (_, i) => i),
    readingBytes: openBytes + largest,
    openBytes,
  };
}

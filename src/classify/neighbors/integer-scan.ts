import { PermafrostError } from '../../core/errors.ts';
import { rowRange, type Matrix } from '../../core/matrix.ts';
import { onnxRuntime, type OnnxSession } from '../../core/onnxruntime.ts';
import { mathSession } from '../linalg/math-session.ts';
import { distanceOfScore, extentOf } from './distance.ts';
import { integerProduct, integerProductsHold } from '../linalg/integer-products.ts';
import type { Metric } from './neighbor-index.ts';
import { commonStep, hasNegative, quantizeRows, type QuantizedRows } from './quantize-rows.ts';
import { FLOAT32_ROUNDING, keptOf, largestScores, type RowRange, type Scan } from './scan.ts';

/** Scores of one block of queries with one part: 8 MiB of float32. */
const BLOCK_VALUES = 2 ** 21;
const MOST_QUERIES = 1024;
/** Rows of one part: their products with a block of queries stay in the cache. */
const PART_ROWS = 2 ** 16;
/** Bytes of one part: what a session is made from lies in memory a few times while it is made. */
const PART_BYTES = 2 ** 27;
/** Sums of more products could pass 2^31. */
const MOST_COLS = 2 ** 15;
/** Lengths that keep float32 scores from becoming infinite or zero. */
const LENGTHS = { least: 1e-15, most: 1e15 };
/** Rows kept beyond those asked for: 8 bits confuse some dozens. */
const SPARE = 54;
/** Query and row have length 1 for the cosine; the query's rounded copy may be this much longer. */
const ROUNDED_LENGTH = 1.02;

/** ONNX_TYPE.float32, which only the encoder may import: a protobuf library comes with it. */
const FLOAT32 = 1;

/** A part of the rows, packed by the runtime. */
interface Held {
  readonly session: OnnxSession;
  readonly first: number;
  readonly rows: number;
}

/** Scores of uint8 queries: (sum of integers) · step · (the row's step) + offset; the k largest and their places. */
function sessionOf({ data, zero, steps }: QuantizedRows, offsets: Float32Array, cols: number): Promise<OnnxSession> {
  const rows = offsets.length;
  // Of so many spare rows groups would hold more than there is to gain.
  const { nodes, outputs } = largestScores(false);
  return mathSession(
    {
      name: 'scan in 8 bits',
      nodes: [
        ...integerProduct,
        { op: 'Cast', inputs: ['Z'], outputs: ['F'], attributes: { to: FLOAT32 } },
        { op: 'Mul', inputs: ['step', 'steps'], outputs: ['scale'] },
        { op: 'Mul', inputs: ['F', 'scale'], outputs: ['G'] },
        { op: 'Add', inputs: ['G', 'offsets'], outputs: ['S'] },
        ...nodes,
      ],
      inputs: [
        { name: 'X', type: 'uint8', shape: ['q', 'd'] },
        { name: 'zeroX', type: 'uint8', shape: [] },
        { name: 'step', type: 'float32', shape: [] },
        { name: 'k', type: 'int64', shape: [1] },
      ],
      outputs,
      initializers: [
        { name: 'Y', shape: [rows, cols], data },
        { name: 'zeroY', shape: [], data: Int8Array.of(zero) },
        { name: 'steps', shape: [rows], data: Float32Array.from(steps) },
        { name: 'offsets', shape: [rows], data: offsets },
      ],
    },
    0,
  );
}

/**
 * A scan in 8 bits: rows and queries are rounded to 255 steps, products are exact, and the lengths of what was rounded
 * away bound the error (Cauchy and Schwarz). Rows are copied, in a quarter of their memory. undefined where the
 * processor sums inexactly or the features do not fit; with `required` ENGINE_UNAVAILABLE or FIT_INVALID.
 */
export async function integerScan(
  X: Matrix,
  lengths: Float64Array,
  metric: Metric,
  required: boolean,
): Promise<Scan | undefined> {
  const { longest, shortest } = extentOf(lengths);
  const isUsual = longest < LENGTHS.most && (shortest > LENGTHS.least || longest === 0);
  if (X.cols > MOST_COLS || !isUsual) {
    if (!required) return undefined;
    throw new PermafrostError(
      'FIT_INVALID',
      `Rows of ${X.cols} features with lengths from ${shortest} to ${longest} cannot be scanned in int8: at most ${MOST_COLS} features and lengths from ${LENGTHS.least} to ${LENGTHS.most} can. Take scan "float32".`,
    );
  }
  if (!(await integerProductsHold())) {
    if (!required) return undefined;
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      'This processor does not sum products of 8 bits exactly (it lacks VNNI or its like). Take scan "float32".',
    );
  }

  const { Tensor } = await onnxRuntime();
  const signed = hasNegative(X);
  const rowsAPart = Math.max(1, Math.min(PART_ROWS, Math.floor(PART_BYTES / X.cols)));
  const parts: Held[] = [];
  // What the row lost the most, and the largest offset: for the bound.
  let [worst, largest] = [0, 0];
  for (let first = 0; first < X.rows; first += rowsAPart) {
    const rows = Math.min(rowsAPart, X.rows - first);
    const own = lengths.subarray(first, first + rows);
    const part = rowRange(X, first, first + rows);
    const quantized = quantizeRows(part, metric === 'cosine' ? own : undefined, 'int8', signed);
    // For the cosine each row's own error is added: what is kept are the largest scores that could be.
    const offsets = Float32Array.from(own, (length, i) =>
      metric === 'cosine' ? ROUNDED_LENGTH * quantized.lost[i]! : -(length ** 2) / 2,
    );
    for (const value of quantized.lost) worst = Math.max(worst, value);
    for (const value of offsets) largest = Math.max(largest, Math.abs(value));
    parts.push({ session: await sessionOf(quantized, offsets, X.cols), first, rows });
  }
  const farthest = metric === 'cosine' ? 1 : longest;

  return {
    block: Math.min(MOST_QUERIES, Math.max(1, Math.floor(BLOCK_VALUES / Math.min(rowsAPart, X.rows)))),
    async run(queries, queryLengths, wanted) {
      const divisors = metric === 'cosine' ? queryLengths : undefined;
      const signedQueries = hasNegative(queries);
      const step = commonStep(queries, divisors, signedQueries);
      const rounded = quantizeRows(queries, divisors, 'uint8', signedQueries, step);
      const found: RowRange[] = [];
      for (const { session, first, rows } of parts) {
        const k = Math.min(rows, wanted + SPARE);
        const kept = await session.run({
          X: new Tensor('uint8', rounded.data as Uint8Array, [queries.rows, X.cols]),
          zeroX: new Tensor('uint8', Uint8Array.of(rounded.zero), []),
          step: new Tensor('float32', Float32Array.of(step), []),
          k: new Tensor('int64', BigInt64Array.of(BigInt(k)), [1]),
        });
        found.push(keptOf(kept, k, { first, rows, grouped: false }));
      }
      return {
        parts: found,
        leastDistance(i, value) {
          const length = queryLengths[i]!;
          if (metric === 'euclidean' && length > LENGTHS.most) return -Infinity;
          const own = metric === 'cosine' ? Number(length > 0) : length;
          const lost = rounded.lost[i]!;
          const roundedLength = own + lost;
          const rowsLost =
            metric === 'cosine' ? Math.max(0, roundedLength - ROUNDED_LENGTH) * worst : roundedLength * worst;
          const float32 = 16 * FLOAT32_ROUNDING * (roundedLength * (farthest + worst) + largest);
          const score = value + lost * farthest + rowsLost + float32;
          return distanceOfScore(metric, score, X.cols, length, longest);
        },
      };
    },
  };
}

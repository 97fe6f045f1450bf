import type { Matrix } from '../../core/matrix.ts';
import type { OnnxNode } from '../../core/onnx-model.ts';
import { onnxRuntime, type OnnxSession } from '../../core/onnxruntime.ts';
import { mathSession, sessionCache } from '../linalg/math-session.ts';
import { distanceOfScore, extentOf, productError } from './distance.ts';
import type { Metric } from './neighbor-index.ts';
import { FLOAT32_ROUNDING, keptOf, largestScores, partsOf, type RowRange, type Scan } from './scan.ts';

/** Scores of one block of queries with one part: 16 MiB of float32. */
const BLOCK_VALUES = 2 ** 22;
const MOST_QUERIES = 1024;
/**
 * Rows of one part. Each run turns the part's rows into the product's layout once more, so a block has many queries:
 * with 256 of them that is a fiftieth of the products.
 */
const PART_ROWS = 2 ** 14;
/** Rows kept beyond those asked for: float32 confuses few of them. */
const SPARE = 8;

/** What an offset too small for a normal float32 may be off. */
const TINY = 2 ** -120;

/** What turns products into scores: nothing, a factor of each row, or something added for each row. */
type Scoring = 'product' | 'factor' | 'offset';

const cached = sessionCache();

/** Products by Gemm, scores of them, and the k largest with their indices, all inside the runtime's graph. */
function sessionOf(scoring: Scoring, grouped: boolean): Promise<OnnxSession> {
  const steps: Record<Scoring, OnnxNode[]> = {
    product: [{ op: 'Gemm', inputs: ['Q', 'X'], outputs: ['S'], attributes: { transB: 1 } }],
    factor: [
      { op: 'Gemm', inputs: ['Q', 'X'], outputs: ['Z'], attributes: { transB: 1 } },
      { op: 'Mul', inputs: ['Z', 'w'], outputs: ['S'] },
    ],
    offset: [{ op: 'Gemm', inputs: ['Q', 'X', 'w'], outputs: ['S'], attributes: { transB: 1 } }],
  };
  const { nodes, outputs, initializers } = largestScores(grouped);
  return cached(`${scoring} ${grouped}`, () =>
    mathSession(
      {
        name: `scan by ${scoring}`,
        nodes: [...steps[scoring], ...nodes],
        inputs: [
          { name: 'Q', type: 'float32', shape: ['q', 'd'] },
          { name: 'X', type: 'float32', shape: ['n', 'd'] },
          ...(scoring === 'product' ? [] : [{ name: 'w', type: 'float32', shape: ['n'] } as const]),
          { name: 'k', type: 'int64', shape: [1] },
        ],
        outputs,
        initializers,
      },
      0,
      // The next block takes the memory of this one's scores: from the system it would come page by page.
      { arena: true },
    ),
  );
}

/** A float32 scan over the rows of X (n, d), read in place, by Gemm and TopK of ONNX Runtime. `lengths`: the rows'. */
export function floatScan(X: Matrix, lengths: Float64Array, metric: Metric): Scan {
  const extent = extentOf(lengths);
  const { longest } = extent;
  // Rows of one length need no factor: their products are ordered as cosines but for differences of length.
  const uneven = lengths.reduce((most, length) => Math.max(most, longest / length - 1), 0);
  const scoring: Scoring = metric === 'euclidean' ? 'offset' : uneven < 1e-6 ? 'product' : 'factor';
  const unevenness = scoring === 'product' ? uneven : 0;
  const weights = Float32Array.from(lengths, (length) =>
    scoring === 'offset' ? -(length ** 2) / 2 : length === 0 ? 0 : 1 / length,
  );

  return {
    block: Math.min(MOST_QUERIES, Math.max(1, Math.floor(BLOCK_VALUES / Math.min(PART_ROWS, X.rows)))),
    async run(queries, queryLengths, wanted) {
      const { Tensor } = await onnxRuntime();
      const parts: RowRange[] = [];
      for (const part of partsOf(X.rows, PART_ROWS, wanted + SPARE)) {
        const { first, rows } = part;
        const k = Math.min(rows, wanted + SPARE);
        const session = await sessionOf(scoring, part.grouped);
        const kept = await session.run({
          Q: new Tensor('float32', queries.data, [queries.rows, X.cols]),
          X: new Tensor('float32', X.data.subarray(first * X.cols, (first + rows) * X.cols), [rows, X.cols]),
          ...(scoring !== 'product' && { w: new Tensor('float32', weights.subarray(first, first + rows), [rows]) }),
          k: new Tensor('int64', BigInt64Array.of(BigInt(k)), [1]),
        });
        parts.push(keptOf(kept, k, part));
      }
      return {
        parts,
        leastDistance(i, value) {
          const length = queryLengths[i]!;
          const error = productError(X.cols, length, extent);
          if (metric === 'euclidean') {
            // The offset, and its sum with the product, are rounded too.
            const all = error * length * longest + 4 * FLOAT32_ROUNDING * (length * longest + longest ** 2) + TINY;
            return distanceOfScore(metric, value + all, X.cols, length, longest);
          }
          if (length === 0) return 1;
          // Values are cosines times the query's length, and times the rows' where they have one.
          const unit = scoring === 'product' ? length * longest : length;
          const score = value / unit + error + unevenness + 4 * FLOAT32_ROUNDING;
          return distanceOfScore(metric, score, X.cols, length, longest);
        },
      };
    },
  };
}

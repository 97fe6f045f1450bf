import type { Matrix } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { timesColumns, transposedTimesColumns, type Columns, type FloatType } from '../linalg/thin.ts';
import { addOuter, addScaled, columnSums, dot, shiftRows, weightedRows } from '../linalg/vectors.ts';
import { columnDesign } from './column-design.ts';
import type { Design, FitRows } from './design.ts';
import { joinedProducts } from './joined-products.ts';
import type { Loss } from './loss.ts';
import type { LinearProblem } from './linear-problems.ts';
import { rowStatistics } from './row-statistics.ts';
import { sampledRows, sampleSize, estimatesHessian } from './row-sample.ts';

/** Weights (d, k), and what they shift the logits of centred rows by, shape (k). */
export interface Shifted {
  readonly coef: Float64Array;
  readonly shift: Float64Array;
}

/**
 * Asks for the derivative of a problem's loss at `at`; with a `direction` for the second derivative applied to it, in
 * float32; with `sizes` too for the slopes at those lengths of it.
 */
export interface PassRequest {
  readonly problem: LinearProblem;
  readonly at: Shifted;
  readonly direction?: Shifted;
  readonly sizes?: readonly number[];
  readonly precision: FloatType;
}

type AskedPass = PassRequest & { readonly answer: PassAnswer };

/** The loss, and the derivative by the weights (d, k) and by the shift (k). */
export interface PassAnswer {
  value: number;
  readonly coef: Float64Array;
  readonly sums: Float64Array;
  readonly slopes: Float64Array;
}

/**
 * Training rows that are read again, block by block, for each product; one pass answers concurrent requests. Logits are
 * computed again: that is cheap next to reading, while those of a million rows and ten classes take 80 MB. Memory is a
 * block, a few (d, k) arrays and a sample of rows.
 */
export interface StreamDesign extends FitRows {
  readonly pass: (request: PassRequest) => Promise<PassAnswer>;
  /** How often the rows were read. */
  readonly passes: () => number;
  /** Some of the rows, in memory. */
  readonly sample: Design;
}

/** One pass for column means and a sample of rows of classes y. Throws FIT_INVALID, INTERRUPTED, reading errors. */
export async function streamDesign(source: Rows, y: Int32Array, context?: FitContext): Promise<StreamDesign> {
  const sampled = sampledRows(y, sampleSize(source));
  const { sample, ...statistics } = await rowStatistics(source, sampled, context);
  const { mean } = statistics;
  let passes = 1;

  async function answer(requests: readonly PassRequest[]): Promise<PassAnswer[]> {
    const asked = requests.map((request) => ({ ...request, answer: emptyAnswer(request) }));
    for await (const { start, X } of blocksOf(source)) {
      checkAborted(context);
      for (const precision of ['float32', 'float64'] as const) {
        const those = asked.filter((request) => request.precision === precision);
        if (those.length > 0) await addBlock(X, start, those, precision);
      }
    }
    passes++;
    return asked.map(({ answer }) => ({ ...answer, coef: addOuter(answer.coef, -1, mean, answer.sums) }));
  }

  /** The shift of rows that are not centred. */
  const uncentred = ({ coef, shift }: Shifted): Float64Array =>
    weightedRows(mean, coef, shift.length).map((m, c) => shift[c]! - m);

  async function addBlock(
    X: Matrix,
    start: number,
    requests: readonly AskedPass[],
    precision: FloatType,
  ): Promise<void> {
    const vectors = requests.flatMap(({ at, direction }) => (direction === undefined ? [at] : [at, direction]));
    const columns = vectors.map(({ coef, shift }) => ({ V: coef, k: shift.length }));
    const products = await timesColumns(X, columns, precision);
    vectors.forEach((vector, v) => shiftRows(products[v]!, uncentred(vector), 1));
    const turned: (Columns & { readonly answer: PassAnswer })[] = [];
    let next = 0;
    for (const { problem, direction, sizes, answer } of requests) {
      const { k } = problem;
      const loss = problem.loss(start, start + X.rows);
      const logits = products[next++]!;
      const change = direction && products[next++]!;
      if (change !== undefined && sizes !== undefined) {
        addSlopes(answer.slopes, loss, logits, change, sizes);
        continue;
      }
      const here = loss.at(logits);
      const V = change === undefined ? here.residuals : here.hessian(change);
      answer.value += here.value;
      addScaled(answer.sums, 1, columnSums(V, k));
      turned.push({ V, k, answer });
    }
    if (turned.length === 0) return;
    const sums = await transposedTimesColumns(X, turned, precision);
    sums.forEach((sum, r) => addScaled(turned[r]!.answer.coef, 1, sum));
  }

  // Products with the sample come first: whoever is done with them waits for the others, and all share a pass.
  const joined = joinedProducts();
  const some: Design = { ...columnDesign(sample, statistics, joined), sampled };
  return {
    rows: source.rows,
    size: source.cols,
    meanNorm: some.meanNorm,
    meanSquaredNorm: some.meanSquaredNorm,
    ...(estimatesHessian(sample) && { rough: some }),
    sample: some,
    pass: joined(answer),
    passes: () => passes,
    weights: (coef, k) => some.weights(coef, k),
  };
}

const emptyAnswer = ({ at, sizes = [] }: PassRequest): PassAnswer => ({
  value: 0,
  coef: new Float64Array(at.coef.length),
  sums: new Float64Array(at.shift.length),
  slopes: new Float64Array(sizes.length),
});

/** Adds the derivatives of a loss along a change of the logits, at some lengths of it. */
function addSlopes(
  slopes: Float64Array,
  loss: Loss,
  logits: Float64Array,
  change: Float64Array,
  sizes: readonly number[],
): void {
  for (const [s, size] of sizes.entries()) {
    const tried = logits.slice();
    addScaled(tried, size, change);
    slopes[s]! += dot(loss.at(tried).residuals, change);
  }
}

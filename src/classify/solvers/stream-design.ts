import type { Matrix } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { timesColumns, timesThin, transposedTimesThin, type Precision } from '../linalg/thin.ts';
import type { LossByParts } from './loss.ts';
import { addOuter, addScaled, columnSums, dot, shiftRows, weightedRows } from '../linalg/vectors.ts';

/** Weights (d, k) and intercepts (k), these in units of the rows' spread (problem.ts). */
export interface Point {
  readonly coef: Float64Array;
  readonly bias: Float64Array;
}

export const origin = (cols: number, k: number): Point => ({
  coef: new Float64Array(cols * k),
  bias: new Float64Array(k),
});

export const inner = (a: Point, b: Point): number => dot(a.coef, b.coef) + dot(a.bias, b.bias);

/** point + factor · other, a new point. */
export function moved(point: Point, factor: number, other: Point): Point {
  const sum = { coef: point.coef.slice(), bias: point.bias.slice() };
  addPoint(sum, factor, other);
  return sum;
}

/** Adds factor · other to a point, in place. */
export function addPoint(point: Point, factor: number, other: Point): void {
  addScaled(point.coef, factor, other.coef);
  addScaled(point.bias, factor, other.bias);
}

/** The objective at a point, and its derivative. */
export interface ObjectiveAt {
  readonly value: number;
  readonly gradient: Point;
}

/**
 * loss + penalty · |W|² / 2 on centred rows that are read in blocks. Nothing is kept of a row: its scores are computed
 * again in each pass, for a product with twice as many columns costs little beside reading the row, and a million rows
 * of scores of ten classes take 80 MB each time they are kept. So memory is that of a block and a few arrays of (d, k).
 */
export interface StreamedProblem {
  readonly cols: number;
  readonly k: number;
  readonly unit: number;
  /** Euclidean length of the column means. */
  readonly meanLength: number;
  /** One pass. */
  objectiveAt(point: Point, precision: Precision): Promise<ObjectiveAt>;
  /** One pass, in float32: the second derivative at `point`, applied to `direction`. */
  curvatureAt(point: Point, direction: Point): Promise<Point>;
  /** How often the rows were read by these. */
  readonly passes: () => number;
}

export function streamedProblem(
  source: Rows,
  { loss, penalty, mean, unit }: { loss: LossByParts; penalty: number; mean: Float64Array; unit: number },
  context?: FitContext,
): StreamedProblem {
  const { k } = loss;
  let passes = 0;
  /** What is added to the scores of rows that are not centred. */
  const shiftOf = ({ coef, bias }: Point): Float64Array =>
    weightedRows(mean, coef, k).map((m, c) => unit * bias[c]! - m);

  /** The centred product of the rows with what `turn` makes of each block of them, and penalty · W. */
  async function pass(
    coef: Float64Array,
    precision: Precision,
    turn: (X: Matrix, start: number) => Promise<Float64Array>,
  ): Promise<Point> {
    const sums = new Float64Array(k);
    const product = new Float64Array(source.cols * k);
    for await (const { start, X } of blocksOf(source)) {
      checkAborted(context);
      const turned = await turn(X, start);
      addScaled(sums, 1, columnSums(turned, k));
      addScaled(product, 1, await transposedTimesThin(X, turned, k, precision));
    }
    passes++;
    addOuter(product, -1, mean, sums);
    addScaled(product, penalty, coef);
    return { coef: product, bias: sums.map((sum) => sum * unit) };
  }

  return {
    cols: source.cols,
    k,
    unit,
    meanLength: Math.sqrt(dot(mean, mean)),
    passes: () => passes,
    async objectiveAt(point, precision) {
      const shift = shiftOf(point);
      let value = (penalty / 2) * dot(point.coef, point.coef);
      const gradient = await pass(point.coef, precision, async (X, start) => {
        const scores = shiftRows(await timesThin(X, point.coef, k, precision), shift, 1);
        const here = loss.part(start, start + X.rows).at(scores);
        value += here.loss;
        return here.residuals;
      });
      return { value, gradient };
    },
    curvatureAt(point, direction) {
      const [shift, change] = [shiftOf(point), shiftOf(direction)];
      const columns = [point, direction].map(({ coef }) => ({ V: coef, k }));
      return pass(direction.coef, 'float32', async (X, start) => {
        const [scores, along] = (await timesColumns(X, columns, 'float32')) as [Float64Array, Float64Array];
        const here = loss.part(start, start + X.rows).at(shiftRows(scores, shift, 1));
        return here.curvature(shiftRows(along, change, 1));
      });
    },
  };
}

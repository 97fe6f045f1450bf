import { matrix, row, selectRows, type Matrix } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import type { RowsOf } from '../out-of-fold/refits.ts';
import type { FittedHead } from '../head.ts';
import { encodeLabels } from '../labels.ts';
import { exactIndex } from '../neighbors/exact.ts';
import type { Neighbors } from '../neighbors/neighbor-index.ts';

/**
 * How strange a row is to a head; larger is stranger.
 * - `first-neighbor`, `fifth-neighbor`: cosine distance to that of the nearest training rows (Sun et al. 2022, arXiv
 *   2204.06507), the farthest where there are fewer.
 * - `mean-distance`: cosine distance to the nearest class mean.
 * - `energy`: minus the logarithm of the summed exponentials of the logits (Liu et al. 2020, arXiv 2010.03759); for
 *   heads with logits. One logit s of two classes counts as s / 2 and -s / 2.
 * - `top-probability`: one minus the likeliest class' probability (Hendrycks and Gimpel 2017, arXiv 1610.02136).
 */
export const MEASURES = ['first-neighbor', 'fifth-neighbor', 'mean-distance', 'energy', 'top-probability'] as const;
export type Measure = (typeof MEASURES)[number];

/** Which of the nearest rows of the reference counts. */
const RANKS: Readonly<Partial<Record<Measure, number>>> = {
  'first-neighbor': 1,
  'fifth-neighbor': 5,
  'mean-distance': 1,
};

/** Whether a measure compares with the training rows themselves. */
export const comparesRows = (measure: Measure): boolean => measure.endsWith('-neighbor');

/** Every row of a matrix. */
export const rowsOf = (X: Matrix, labels: readonly string[]): RowsOf => ({ X, rows: labels.map((_, i) => i), labels });

/** What a measure compares with: training rows, class means, or nothing. Rows are normalised as for the head. */
export function referenceOf(measure: Measure, known: RowsOf): Matrix | undefined {
  if (comparesRows(measure)) return known.rows.length === known.X.rows ? known.X : selectRows(known.X, known.rows);
  return measure === 'mean-distance' ? classMeans(known) : undefined;
}

/**
 * The novelty score of each normalised row of X (n, d); float64 (n). `energy` needs a head with logits; measures that
 * compare with rows or class means need none.
 */
export async function noveltyScores(
  measure: Measure,
  head: FittedHead | undefined,
  X: Matrix,
  reference: Matrix | undefined,
): Promise<Float64Array> {
  if (X.rows === 0) return new Float64Array(0);
  if (reference !== undefined) {
    const rank = RANKS[measure]!;
    return atRank(await exactIndex(matrixRows(reference), 'cosine').search(X, rank), rank);
  }
  if (measure === 'energy') return energies(await head!.logits!(X));
  return doubts(await head!.predictProba(X));
}

/** One minus the likeliest class' probability, P of shape (n, classes). */
export const doubts = (P: Matrix): Float64Array =>
  Float64Array.from({ length: P.rows }, (_, i) => 1 - row(P, i).reduce((a, b) => Math.max(a, b), 0));

/** Novelty scores by each measure against the `known` rows; one search serves all ranks. */
export async function noveltyScoresByMeasure(
  measures: readonly Measure[],
  head: FittedHead | undefined,
  X: Matrix,
  known: RowsOf,
): Promise<Map<Measure, Float64Array>> {
  const ranked = measures.filter(comparesRows);
  const ranks = ranked.map((measure) => RANKS[measure]!);
  const found =
    ranks.length > 0 && X.rows > 0
      ? await exactIndex(matrixRows(referenceOf(ranked[0]!, known)!), 'cosine').search(X, Math.max(...ranks))
      : { k: 0, distances: new Float32Array(0) };
  const values = new Map<Measure, Float64Array>();
  for (const measure of measures) {
    values.set(
      measure,
      comparesRows(measure)
        ? atRank(found, RANKS[measure]!)
        : await noveltyScores(measure, head, X, referenceOf(measure, known)),
    );
  }
  return values;
}

/** The distance of each query to its neighbour of a rank, the farthest where there are fewer. */
function atRank({ k, distances }: Pick<Neighbors, 'k' | 'distances'>, rank: number): Float64Array {
  const queries = k === 0 ? 0 : distances.length / k;
  return Float64Array.from({ length: queries }, (_, i) => distances[i * k + Math.min(rank, k) - 1]!);
}

/** Minus the logarithm of the summed exponentials, logits of shape (n, k). */
export function energies(logits: Matrix): Float64Array {
  return Float64Array.from({ length: logits.rows }, (_, i) => {
    const own = [...row(logits, i)];
    const s = own.length === 1 ? [own[0]! / 2, -own[0]! / 2] : own;
    const most = Math.max(...s);
    return -(most + Math.log(s.reduce((sum, value) => sum + Math.exp(value - most), 0)));
  });
}

/** Mean row of each class, in the order of the sorted class names, summed in float64. */
function classMeans({ X, rows, labels }: RowsOf): Matrix {
  const { classes, indices } = encodeLabels(labels);
  const sums = new Float64Array(classes.length * X.cols);
  const counts = new Float64Array(classes.length);
  indices.forEach((c, i) => {
    counts[c]!++;
    addRow(sums, c * X.cols, row(X, rows[i]!));
  });
  const means = matrix(classes.length, X.cols);
  for (let at = 0; at < sums.length; at++) means.data[at] = sums[at]! / counts[Math.floor(at / X.cols)]!;
  return means;
}

function addRow(sums: Float64Array, at: number, values: Float32Array): void {
  for (let j = 0; j < values.length; j++) sums[at + j]! += values[j]!;
}

import type { GraphWriter } from '../../core/onnx/graph-writer.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import type { FittedHead } from '../head.ts';
import { matrixOf } from '../heads/fitted-state.ts';
import { ofLogits, softmax, type AnswerNodes } from './answer-nodes.ts';
import { cosineDistances, meanRow, squaredDistances } from './row-nodes.ts';
import { tensorIn } from './state-tensors.ts';

function transposed({ rows, cols, data }: Matrix): Matrix {
  const out = matrix(cols, rows);
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < cols; j++, at++) out.data[j * rows + i] = data[at]!;
  return out;
}

/** Distances of rows to the rows of Z by a metric, shape (n, rows of Z). */
export const distanceNodes = (w: GraphWriter, X: string, Z: Matrix, metric: unknown): string =>
  metric === 'cosine' ? cosineDistances(w, X, Z) : w.op('Sqrt', [squaredDistances(w, X, Z, meanRow(Z))]);

/** heads/centroid.ts: softmax(-scale · distance / unit). */
export function centroidNodes(
  w: GraphWriter,
  { state, params, features, classes }: FittedHead,
  X: string,
): AnswerNodes {
  const centroids = transposed(matrixOf(state, 'centroids', features, classes.length));
  const unit = tensorIn(state, 'unit').data[0]!;
  const far = distanceNodes(w, X, centroids, params.metric);
  return { probabilities: softmax(w, w.op('Mul', [far, w.float(-Number(params.scale) / unit)])) };
}

/** heads/kernel.ts: Σ exp(-gamma·|x - zᵢ|²)·coefᵢ + intercept, summed in float64, for coefficients cancel. */
export function kernelNodes(w: GraphWriter, { state, features }: FittedHead, X: string): AnswerNodes {
  const Z = matrixOf(state, 'rows', undefined, features);
  const [{ data: centre }, coef, intercept] = [
    matrixOf(state, 'centre', 1, features),
    tensorIn(state, 'coef'),
    tensorIn(state, 'intercept'),
  ];
  const far = squaredDistances(w, X, Z, centre);
  const K = w.op('Exp', [w.op('Mul', [far, w.float(-Number(state.json.gamma))])]);
  const sums = w.op('MatMul', [w.cast(K, 'float64'), w.constant(coef.shape, Float64Array.from(coef.data))]);
  const logits = w.cast(w.op('Add', [sums, w.constant(intercept.shape, Float64Array.from(intercept.data))]), 'float32');
  return ofLogits(w, logits, intercept.data.length);
}

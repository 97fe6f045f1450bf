import type { GraphWriter } from '../../core/onnx/graph-writer.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import { unitRows } from '../normalize.ts';

/** Euclidean length of each row, shape (n, 1); 1 for rows of zeros, which so stay zeros when they are divided by it. */
export function lengthNodes(w: GraphWriter, X: string): string {
  const length = w.op('Sqrt', [w.op('ReduceSum', [w.op('Mul', [X, X]), w.ints(1)], { keepdims: 1 })]);
  return w.op('Where', [w.op('Equal', [length, w.float(0)]), w.float(1), length]);
}

/** Rows divided by their Euclidean lengths. */
export const unitNodes = (w: GraphWriter, X: string): string => w.op('Div', [X, lengthNodes(w, X)]);

/** A (rows, cols) matrix as a constant of shape (cols, rows). */
export function transposedConstant(w: GraphWriter, { rows, cols, data }: Matrix): string {
  const out = new Float32Array(data.length);
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < cols; j++, at++) out[j * rows + i] = data[at]!;
  return w.constant([cols, rows], out);
}

/** 1 - cosine of rows to the rows of Z, within 0 to 2, shape (n, rows of Z); 1 where one is all zeros. */
export function cosineDistances(w: GraphWriter, X: string, Z: Matrix): string {
  const products = w.op('MatMul', [unitNodes(w, X), transposedConstant(w, unitRows(Z))]);
  return w.op('Clip', [w.op('Sub', [w.float(1), products]), w.float(0), w.float(2)]);
}

/**
 * Squared Euclidean distances of rows to the rows of Z, shape (n, rows of Z). `centre` (d), any row near the middle of
 * them all, is taken off both, so that a large common part costs no digits.
 */
export function squaredDistances(w: GraphWriter, X: string, Z: Matrix, centre: Float32Array): string {
  const { rows, cols } = Z;
  const centred = matrix(rows, cols);
  const squares = new Float32Array(rows);
  for (let i = 0, at = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < cols; j++, at++) sum += (centred.data[at] = Z.data[at]! - centre[j]!) ** 2;
    squares[i] = sum;
  }
  const Xc = w.op('Sub', [X, w.constant([1, cols], centre)]);
  const ofX = w.op('ReduceSum', [w.op('Mul', [Xc, Xc]), w.ints(1)], { keepdims: 1 });
  const products = w.op('MatMul', [Xc, transposedConstant(w, centred)]);
  const ofZ = w.op('Sub', [w.constant([1, rows], squares), w.op('Mul', [products, w.float(2)])]);
  return w.op('Relu', [w.op('Add', [ofX, ofZ])]);
}

/** The mean row of a matrix, shape (d). */
export function meanRow({ rows, cols, data }: Matrix): Float32Array {
  const sums = new Float64Array(cols);
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < cols; j++, at++) sums[j]! += data[at]! / rows;
  return new Float32Array(sums);
}

/** Sum of a[i]·b[i]. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** a += factor · b, in place. */
export function addScaled(a: Float64Array, factor: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
}

/** a = b + factor · a, in place. */
export function scaleAdd(a: Float64Array, factor: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i] = b[i]! + factor * a[i]!;
}

/** The largest absolute value, 0 for none. */
export function largestAbsolute(a: Float64Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]!));
  return most;
}

/** Sum of each column of a (rows, k) matrix, shape (k). */
export function columnSums(data: Float64Array, k: number): Float64Array {
  const sums = new Float64Array(k);
  for (let at = 0; at < data.length;) for (let c = 0; c < k; c++) sums[c]! += data[at++]!;
  return sums;
}

/** Adds factor · shift (k) to each row of a (rows, k) matrix, in place; returns it. */
export function shiftRows(data: Float64Array, shift: Float64Array, factor: number): Float64Array {
  const k = shift.length;
  for (let at = 0; at < data.length;) for (let c = 0; c < k; c++) data[at++]! += factor * shift[c]!;
  return data;
}

/** weights (rows) · data (rows, k): the weighted sum of the rows, shape (k). */
export function weightedRows(weights: Float64Array, data: Float64Array, k: number): Float64Array {
  const sums = new Float64Array(k);
  for (let i = 0, at = 0; i < weights.length; i++) {
    for (let c = 0; c < k; c++) sums[c]! += weights[i]! * data[at++]!;
  }
  return sums;
}

/** data += factor · column (rows) · line (k)ᵀ, data of shape (rows, k), in place; returns it. */
export function addOuter(data: Float64Array, factor: number, column: Float64Array, line: Float64Array): Float64Array {
  const k = line.length;
  for (let i = 0, at = 0; i < column.length; i++) {
    for (let c = 0; c < k; c++) data[at++]! += factor * column[i]! * line[c]!;
  }
  return data;
}

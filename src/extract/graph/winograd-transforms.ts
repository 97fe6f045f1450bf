// F(4x4, 3x3), Lavin and Gray, arXiv 1509.09308, section 4.1: 6x6 inputs give 4x4 outputs in 36 products, not 144.

/** Outputs of a tile along one axis. */
export const TILE_OUT = 4;
/** Inputs of a tile along one axis: neighbouring tiles overlap by two. */
export const TILE_IN = 6;
const B = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const G = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
const A = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** The matrix of X -> M X M' on row-major X: the Kronecker product of M with itself. */
function twice(m: readonly (readonly number[])[]): Float32Array {
  return Float32Array.from(m.flatMap((a) => m.flatMap((b) => a.flatMap((x) => b.map((y) => x * y)))));
}

/** Inputs of a tile, row-major, to its 36 transformed values: (36, 36). */
export const OF_TILES = twice(B);
/** The nine taps of a kernel to its 36 transformed values: (36, 9). */
export const OF_KERNELS = twice(G);
/** The 36 products of a tile to its outputs, row-major: (16, 36). */
export const OF_PRODUCTS = twice(A);

/** A row-major matrix of `rows` rows, transposed. */
export function transposed(matrix: Float32Array, rows: number): Float32Array {
  const cols = matrix.length / rows;
  return Float32Array.from(matrix, (_, k) => matrix[(k % rows) * cols + Math.floor(k / rows)]!);
}

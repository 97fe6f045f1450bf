/** Eigenvalues of a symmetric matrix in descending order, and the eigenvectors as rows, shape (count, size). */
export interface Eigenpairs {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * The `count` largest eigenvalues of the symmetric A (size, size), row-major, with orthonormal eigenvectors, by
 * ml-matrix (Householder and QL). Takes seconds above some hundred rows: top-eigenpairs.ts makes larger problems small.
 */
export async function symmetricEigen(A: Float64Array, size: number, count: number): Promise<Eigenpairs> {
  const { EigenvalueDecomposition, Matrix } = await import('ml-matrix');
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(Matrix.from1DArray(size, size, A), {
    assumeSymmetric: true,
  });
  const order = realEigenvalues.map((_, i) => i).sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!);
  const vectors = new Float64Array(count * size);
  for (let r = 0; r < count; r++) {
    for (let i = 0; i < size; i++) vectors[r * size + i] = eigenvectorMatrix.get(i, order[r]!);
  }
  return { values: Float64Array.from({ length: count }, (_, r) => realEigenvalues[order[r]!]!), vectors };
}

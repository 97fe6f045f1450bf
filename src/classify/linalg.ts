import { PermafrostError, reasonOf } from '../core/errors.ts';
import type { Matrix } from '../core/matrix.ts';
import { matrix } from '../core/matrix.ts';
import type { OnnxGraph } from '../core/onnx-model.ts';
import { createSession, onnxRuntime } from '../core/onnxruntime.ts';

/** Which factor of a product is read transposed. */
type Kind = 'plain' | 'left' | 'right';

/**
 * One Gemm node with symbolic sizes: ONNX Runtime's own float32 matrix product on all cores. A call costs about 0.03 ms
 * whatever its size, so even small products are run here.
 */
function model(kind: Kind): OnnxGraph {
  const left = kind === 'left' ? ['p', 'n'] : ['n', 'p'];
  const right = kind === 'right' ? ['m', 'p'] : ['p', 'm'];
  return {
    name: `gemm-${kind}`,
    nodes: [
      {
        op: 'Gemm',
        inputs: ['X', 'Y'],
        outputs: ['Z'],
        attributes: { transA: Number(kind === 'left'), transB: Number(kind === 'right') },
      },
    ],
    inputs: [
      { name: 'X', type: 'float32', shape: left },
      { name: 'Y', type: 'float32', shape: right },
    ],
    outputs: [{ name: 'Z', type: 'float32', shape: ['n', 'm'] }],
    initializers: [],
  };
}

type Session = Awaited<ReturnType<typeof createSession>>;

const sessions = new Map<Kind, Promise<Session>>();

function sessionOf(kind: Kind): Promise<Session> {
  let session = sessions.get(kind);
  if (session === undefined) {
    // Without the arena a large result is given back to the system instead of being kept for the next call.
    session = createSession(model(kind), { enableCpuMemArena: false });
    // A failed start must not be remembered: the next call tries again.
    session.catch(() => sessions.delete(kind));
    sessions.set(kind, session);
  }
  return session;
}

async function product(
  kind: Kind,
  X: Matrix,
  Y: Matrix,
  rows: number,
  cols: number,
  inner: [number, number],
) {
  if (inner[0] !== inner[1]) {
    throw new PermafrostError(
      'FIT_INVALID',
      `Matrices of ${X.rows} x ${X.cols} and ${Y.rows} x ${Y.cols} have no product here: ${inner[0]} and ${inner[1]} must be equal.`,
    );
  }
  // ONNX Runtime refuses some empty shapes; an empty sum is zero.
  if (rows === 0 || cols === 0 || inner[0] === 0) return matrix(rows, cols);
  const [{ Tensor }, session] = await Promise.all([onnxRuntime(), sessionOf(kind)]);
  try {
    const { Z } = await session.run({
      X: new Tensor('float32', X.data, [X.rows, X.cols]),
      Y: new Tensor('float32', Y.data, [Y.rows, Y.cols]),
    });
    return matrix(rows, cols, Z!.data as Float32Array<ArrayBuffer>);
  } catch (cause) {
    throw new PermafrostError(
      'ENGINE_FAILED',
      `The product of ${X.rows} x ${X.cols} and ${Y.rows} x ${Y.cols} failed: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** X·Y: (n, p) times (p, m) is (n, m). Callers keep n·m below 2^29, the values of 2^31 bytes. Throws FIT_INVALID. */
export function times(X: Matrix, Y: Matrix): Promise<Matrix> {
  return product('plain', X, Y, X.rows, Y.cols, [X.cols, Y.rows]);
}

/** X·Yᵀ: (n, p) times the transpose of (m, p) is (n, m). As `times`. */
export function timesTransposed(X: Matrix, Y: Matrix): Promise<Matrix> {
  return product('right', X, Y, X.rows, Y.rows, [X.cols, Y.cols]);
}

/** Xᵀ·Y: the transpose of (p, n) times (p, m) is (n, m). As `times`. */
export function transposedTimes(X: Matrix, Y: Matrix): Promise<Matrix> {
  return product('left', X, Y, X.cols, Y.cols, [X.rows, Y.rows]);
}

/** Rows of one block of a Gram matrix: small enough to leave out nearly half of the work, large enough for full speed. */
const GRAM_ROWS = 512;

/** X·Xᵀ, shape (n, n), exactly symmetric: only the blocks up to the diagonal are computed. n below 23,170, for 2^31 bytes. */
export async function gramMatrix(X: Matrix): Promise<Matrix> {
  const n = X.rows;
  const out = matrix(n, n);
  for (let start = 0; start < n; start += GRAM_ROWS) {
    const end = Math.min(n, start + GRAM_ROWS);
    const some = (from: number): Matrix => ({
      data: X.data.subarray(from * X.cols, end * X.cols),
      rows: end - from,
      cols: X.cols,
    });
    const block = await timesTransposed(some(start), some(0));
    for (let i = start; i < end; i++) {
      for (let j = 0; j <= i; j++) {
        const value = block.data[(i - start) * end + j]!;
        out.data[i * n + j] = value;
        out.data[j * n + i] = value;
      }
    }
  }
  return out;
}

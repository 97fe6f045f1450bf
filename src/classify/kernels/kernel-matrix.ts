import { type Matrix, matrix } from '../../core/matrix.ts';
import { onnxRuntime } from '../../core/onnxruntime.ts';
import type { Square } from '../linalg/inverse-cholesky.ts';
import { mathSession, sessionCache } from '../linalg/math-session.ts';
import { rowBlocks } from '../linalg/thin.ts';
import type { SquaredDistances } from './squared-distances.ts';

/** exp(-gamma·d²) of all pairs, float64, exactly symmetric; a new matrix of shape (n, n). */
export function kernelMatrix({ n, values }: SquaredDistances, gamma: number): Square {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0, at = i * n; j < i; j++, at++) data[j * n + i] = data[at] = Math.exp(-gamma * values[at]!);
    data[i * n + i] = 1;
  }
  return { data, rows: n, cols: n };
}

/** Values of one run, which the cache holds. */
const BLOCK_VALUES = 2 ** 18;

const cached = sessionCache();

/** The same in float32, by the runtime, in a tenth of the time. */
export async function quickKernelMatrix({ n, values }: SquaredDistances, gamma: number): Promise<Matrix> {
  const { Tensor } = await onnxRuntime();
  const run = await cached('', () =>
    mathSession(
      {
        name: 'kernel matrix',
        nodes: [
          { op: 'Mul', inputs: ['D', 'minusGamma'], outputs: ['E'] },
          { op: 'Exp', inputs: ['E'], outputs: ['K'] },
        ],
        inputs: [
          { name: 'D', type: 'float32', shape: ['m', 'n'] },
          { name: 'minusGamma', type: 'float32', shape: [1] },
        ],
        outputs: [{ name: 'K', type: 'float32', shape: ['m', 'n'] }],
        initializers: [],
      },
      0,
    ),
  );
  const out = matrix(n, n);
  for (const { start, block } of rowBlocks({ data: values, rows: n, cols: n }, BLOCK_VALUES)) {
    const { K } = await run.run({
      D: new Tensor('float32', block.data, [block.rows, n]),
      minusGamma: new Tensor('float32', Float32Array.of(-gamma), [1]),
    });
    out.data.set(K!.data as Float32Array, start * n);
  }
  return out;
}

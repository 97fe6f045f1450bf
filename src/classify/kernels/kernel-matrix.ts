import { matrix } from '../../core/matrix.ts';
import { onnxRuntime } from '../../core/onnxruntime.ts';
import type { Square } from '../linalg/inverse-cholesky.ts';
import { mathSession, sessionCache } from '../linalg/math-session.ts';
import type { Panel, SymmetricPanels } from '../linalg/symmetric-panels.ts';
import { rowBlocks } from '../linalg/thin.ts';
import type { SquaredDistances } from './squared-distances.ts';

/** exp(-gamma·d²) of all pairs, float64, exactly symmetric; a new matrix of shape (n, n). */
export function kernelMatrix({ rows: n, panels }: SquaredDistances, gamma: number): Square {
  const data = new Float64Array(n * n);
  for (const panel of panels) {
    for (let i = 0; i < panel.block.rows; i++) addLine(data, n, panel, i, gamma);
  }
  return { data, rows: n, cols: n };
}

/** What lies right of the diagonal in line i of a panel, and the same as a column. */
function addLine(data: Float64Array, n: number, { start, block }: Panel, i: number, gamma: number): void {
  const line = i * block.cols - start;
  for (let j = Math.max(start, i); j < start + block.cols; j++)
    data[j * n + i] = data[i * n + j] = Math.exp(-gamma * block.data[line + j]!);
}

/** Values of one run, which the cache holds. */
const BLOCK_VALUES = 2 ** 18;

const cached = sessionCache();

/** The same in float32, by the runtime, in a tenth of the time. */
export async function kernelPanels({ rows, panels }: SquaredDistances, gamma: number): Promise<SymmetricPanels> {
  const { Tensor } = await onnxRuntime();
  const run = await cached('', () =>
    mathSession(
      {
        name: 'kernel values',
        nodes: [
          { op: 'Mul', inputs: ['D', 'minusGamma'], outputs: ['E'] },
          { op: 'Exp', inputs: ['E'], outputs: ['K'] },
        ],
        inputs: [
          { name: 'D', type: 'float32', shape: ['m'] },
          { name: 'minusGamma', type: 'float32', shape: [1] },
        ],
        outputs: [{ name: 'K', type: 'float32', shape: ['m'] }],
        initializers: [],
      },
      0,
    ),
  );
  const minusGamma = new Tensor('float32', Float32Array.of(-gamma), [1]);
  const found: Panel[] = [];
  for (const { start, block: D } of panels) {
    const K = matrix(D.rows, D.cols);
    for (const { start: from, block } of rowBlocks(D, BLOCK_VALUES)) {
      const length = block.data.length;
      const values = K.data.subarray(from * D.cols, from * D.cols + length);
      await run.run(
        { D: new Tensor('float32', block.data, [length]), minusGamma },
        { K: new Tensor('float32', values, [length]) },
      );
    }
    found.push({ start, block: K });
  }
  return { rows, panels: found };
}

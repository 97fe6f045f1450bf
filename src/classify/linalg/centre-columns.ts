import { type Matrix, matrix } from '../../core/matrix.ts';
import { type OnnxSession, createSession, onnxRuntime } from '../../core/onnxruntime.ts';
import { sessionCache } from './math-session.ts';

const cached = sessionCache();

const session = (): Promise<OnnxSession> =>
  cached('centre-columns', () =>
    createSession(
      {
        name: 'centre-columns',
        nodes: [
          { op: 'Slice', inputs: ['X', 'from', 'to', 'axis'], outputs: ['some'] },
          { op: 'Slice', inputs: ['mean', 'from', 'to', 'axis'], outputs: ['means'] },
          { op: 'Sub', inputs: ['some', 'means'], outputs: ['Z'] },
        ],
        inputs: [
          { name: 'X', type: 'float32', shape: ['n', 'd'] },
          { name: 'mean', type: 'float32', shape: [1, 'd'] },
          { name: 'from', type: 'int64', shape: [1] },
          { name: 'to', type: 'int64', shape: [1] },
        ],
        outputs: [{ name: 'Z', type: 'float32', shape: ['n', 'w'] }],
        initializers: [{ name: 'axis', shape: [1], data: BigInt64Array.of(1n) }],
      },
      { enableCpuMemArena: false },
    ),
  );

/** Columns [from, to) of X (n, d) less their `mean` (d), by the runtime: plain loops take ten times as long. */
export async function centreColumns(X: Matrix, mean: Float32Array, from: number, to: number): Promise<Matrix> {
  const [{ Tensor }, run] = await Promise.all([onnxRuntime(), session()]);
  const { Z } = await run.run({
    X: new Tensor('float32', X.data, [X.rows, X.cols]),
    mean: new Tensor('float32', mean, [1, X.cols]),
    from: new Tensor('int64', BigInt64Array.of(BigInt(from)), [1]),
    to: new Tensor('int64', BigInt64Array.of(BigInt(to)), [1]),
  });
  return matrix(X.rows, to - from, Z!.data as Float32Array<ArrayBuffer>);
}

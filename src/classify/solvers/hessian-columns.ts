import type { Matrix } from '../../core/matrix.ts';
import type { OnnxNode } from '../../core/onnx-model.ts';
import { onnxRuntime, type OnnxSession } from '../../core/onnxruntime.ts';
import { threadsFor } from '../linalg/gemm.ts';
import { addTransposed, rowBlocks, placeColumns, type Columns } from '../linalg/thin.ts';
import { mathSession, sessionCache } from '../linalg/math-session.ts';
import type { PointwiseHessian } from './loss.ts';

/** A direction V (d, k), what its logits are shifted by (k), and their second derivative. */
export interface HessianRequest extends Columns {
  readonly shift: Float64Array;
  readonly pointwise: PointwiseHessian;
}

/** Values of X in one run: 16 MiB, which the cache may still hold for the second product. */
const BLOCK_VALUES = 2 ** 22;

const cached = sessionCache();

/** X·V, the second derivative and Xᵀ·B in one graph, without a way back to JavaScript. m: columns of all parts. */
function session(coupled: boolean, threads: number): Promise<OnnxSession> {
  const apart: OnnxNode[] = [
    { op: 'Reshape', inputs: ['UT', 'byPart'], outputs: ['U3'] },
    { op: 'Mul', inputs: ['U3', 'probabilities'], outputs: ['shared'] },
    { op: 'ReduceSum', inputs: ['shared', 'one'], outputs: ['mean'], attributes: { keepdims: 1 } },
    { op: 'Sub', inputs: ['U3', 'mean'], outputs: ['D3'] },
    { op: 'Reshape', inputs: ['D3', 'flat'], outputs: ['D'] },
  ];
  return cached(`${coupled} ${threads}`, () =>
    mathSession(
      {
        name: 'hessian',
        nodes: [
          { op: 'Gemm', inputs: ['X', 'V', 'shift'], outputs: ['U'] },
          { op: 'Transpose', inputs: ['U'], outputs: ['UT'], attributes: { perm: [1, 0] } },
          ...(coupled ? apart : []),
          { op: 'Mul', inputs: [coupled ? 'D' : 'UT', 'scale'], outputs: ['B'] },
          { op: 'Gemm', inputs: ['B', 'X'], outputs: ['Z'] },
          { op: 'ReduceSum', inputs: ['B', 'one'], outputs: ['sums'], attributes: { keepdims: 0 } },
        ],
        inputs: [
          { name: 'X', type: 'float32', shape: ['n', 'd'] },
          { name: 'V', type: 'float32', shape: ['d', 'm'] },
          { name: 'shift', type: 'float32', shape: [1, 'm'] },
          { name: 'scale', type: 'float32', shape: ['m', 'n'] },
          ...(coupled
            ? ([
                { name: 'probabilities', type: 'float32', shape: ['parts', 'k', 'n'] },
                { name: 'byPart', type: 'int64', shape: [3] },
                { name: 'flat', type: 'int64', shape: [2] },
              ] as const)
            : []),
        ],
        outputs: [
          { name: 'Z', type: 'float32', shape: ['m', 'd'] },
          { name: 'sums', type: 'float32', shape: ['m'] },
        ],
        initializers: [{ name: 'one', shape: [1], data: BigInt64Array.of(1n) }],
      },
      threads,
    ),
  );
}

/** What a Hessian product gives, X not centred: coefficients Xᵀ·B (d, k) and the sums of B's columns (k). */
export interface HessianColumns {
  readonly coef: Float64Array;
  readonly sums: Float64Array;
}

/** The float32 Hessian product of each part; X (n, d) is read once for parts of one form. Throws ENGINE_FAILED. */
export async function hessianColumns(X: Matrix, parts: readonly HessianRequest[]): Promise<HessianColumns[]> {
  const asked = parts.map((part) => ({
    ...part,
    answer: { coef: new Float64Array(X.cols * part.k), sums: new Float64Array(part.k) },
  }));
  const formOf = ({ k, pointwise }: HessianRequest): string => `${k} ${pointwise.probabilities !== undefined}`;
  for (const form of new Set(parts.map(formOf))) {
    await addHessian(
      X,
      asked.filter((part) => formOf(part) === form),
    );
  }
  return asked.map(({ answer }) => answer);
}

async function addHessian(X: Matrix, parts: readonly (HessianRequest & { answer: HessianColumns })[]): Promise<void> {
  const { k, pointwise } = parts[0]!;
  const coupled = pointwise.probabilities !== undefined;
  const m = parts.length * k;
  const V = new Float32Array(X.cols * m);
  const shift = new Float32Array(m);
  parts.forEach((part, p) => {
    placeColumns(part.V, k, V, m, p * k);
    shift.set(part.shift, p * k);
  });
  const { Tensor } = await onnxRuntime();
  for (const { start, block } of rowBlocks(X, BLOCK_VALUES)) {
    const n = block.rows;
    const join = (values: readonly Float32Array[]): Float32Array => joined(values, k, X.rows, start, n);
    const run = await session(coupled, threadsFor(2 * n * X.cols * m, block.data.length));
    const { Z, sums } = await run.run({
      X: new Tensor('float32', block.data, [n, X.cols]),
      V: new Tensor('float32', V, [X.cols, m]),
      shift: new Tensor('float32', shift, [1, m]),
      scale: new Tensor('float32', join(parts.map((part) => part.pointwise.scale)), [m, n]),
      ...(coupled && {
        probabilities: new Tensor('float32', join(parts.map((part) => part.pointwise.probabilities!)), [
          parts.length,
          k,
          n,
        ]),
        byPart: new Tensor('int64', BigInt64Array.from([parts.length, k, n].map(BigInt)), [3]),
        flat: new Tensor('int64', BigInt64Array.from([m, n].map(BigInt)), [2]),
      }),
    });
    parts.forEach(({ answer }, p) => {
      addTransposed(Z!.data as Float32Array, p * k, X.cols, answer.coef, k);
      for (let c = 0; c < k; c++) answer.sums[c]! += (sums!.data as Float32Array)[p * k + c]!;
    });
  }
}

/** Rows [start, start + n) of matrices that lie class by class, (k, rows), below each other. */
function joined(values: readonly Float32Array[], k: number, rows: number, start: number, n: number): Float32Array {
  if (values.length === 1 && n === rows) return values[0]!;
  const out = new Float32Array(values.length * k * n);
  values.forEach((part, p) => {
    for (let c = 0; c < k; c++) out.set(part.subarray(c * rows + start, c * rows + start + n), (p * k + c) * n);
  });
  return out;
}

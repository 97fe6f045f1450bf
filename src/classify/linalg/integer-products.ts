import { onnxRuntime } from '../../core/onnxruntime.ts';
import type { OnnxNode } from '../../core/onnx-model.ts';
import { mathSession } from './math-session.ts';

/** Products of uint8 rows with int8 rows Y (n, d), in int32. Where Y is constant the runtime packs it once. */
export const integerProduct: readonly OnnxNode[] = [
  { op: 'Transpose', inputs: ['Y'], outputs: ['YT'], attributes: { perm: [1, 0] } },
  { op: 'MatMulInteger', inputs: ['X', 'YT', 'zeroX', 'zeroY'], outputs: ['Z'] },
];

/** Shapes that reach the kernels for one row, for few and for many. */
const SHAPES = [
  { rows: 1, cols: 17, width: 67 },
  { rows: 5, cols: 3, width: 512 },
  { rows: 40, cols: 49, width: 96 },
] as const;

async function holds({ rows, cols, width }: (typeof SHAPES)[number]): Promise<boolean> {
  const { Tensor } = await onnxRuntime();
  const session = await mathSession(
    {
      name: 'integer product',
      nodes: integerProduct,
      inputs: [
        { name: 'X', type: 'uint8', shape: ['q', 'd'] },
        { name: 'zeroX', type: 'uint8', shape: [] },
      ],
      outputs: [{ name: 'Z', type: 'int32', shape: ['q', 'n'] }],
      initializers: [
        { name: 'Y', shape: [cols, width], data: new Int8Array(cols * width).fill(127) },
        { name: 'zeroY', shape: [], data: Int8Array.of(-128) },
      ],
    },
    1,
  );
  const { Z } = await session.run({
    X: new Tensor('uint8', new Uint8Array(rows * width).fill(255), [rows, width]),
    zeroX: new Tensor('uint8', Uint8Array.of(0), []),
  });
  await session.release();
  return (Z!.data as Int32Array).every((value) => value === 255 * 255 * width);
}

let known: Promise<boolean> | undefined;

/**
 * Whether this processor sums 8-bit products exactly. Without AVX-512 VNNI, AVX-VNNI, AMX or Arm's dot product ONNX
 * Runtime adds pairs in 16 bits, which overflow silently: so the largest values are tried, once a process.
 */
export function integerProductsHold(): Promise<boolean> {
  known ??= Promise.all(SHAPES.map(holds)).then((answers) => answers.every(Boolean));
  known.catch(() => (known = undefined));
  return known;
}

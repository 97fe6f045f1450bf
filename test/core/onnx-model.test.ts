import { describe, expect, it } from 'vitest';
import { encodeOnnx, type OnnxGraph } from '../../src/core/onnx-model.ts';
import { createSession, onnxRuntime } from '../../src/core/onnxruntime.ts';

/** Each kind of attribute, of dimension and of tensor, a number below zero, a 0, an empty list and a letter of two bytes. */
const graph: OnnxGraph = {
  name: 'gé',
  nodes: [
    {
      op: 'Some',
      inputs: ['Y', ''],
      outputs: ['Z'],
      attributes: { perm: [1, 0], axis: -1, mode: 'x', alpha: { float: 0.25 }, zero: 0, empty: [] },
    },
  ],
  inputs: [
    { name: 'Y', type: 'float32', shape: ['n', 25088] },
    { name: 's', type: 'int64', shape: [] },
  ],
  outputs: [{ name: 'Z', type: 'int32', shape: [0, 'm'] }],
  initializers: [
    { name: 'w', shape: [300, 1], data: new Float32Array(300).fill(1.5) },
    { name: 'e', shape: [], data: BigInt64Array.of(-5n) },
    { name: 'o', shape: [0], data: new Int8Array(0) },
  ],
};

/** What protobufjs 8.8.1 wrote for `graph` by the fields of onnx.proto, without the 300 values. */
const EXPECTED = `
  0808120a7065726d6166726f73743a870b0a6c0a01590a0012015a1a015a2204536f6d652a0d0a047065726d42020100a001072a140a04
  6178697318ffffffffffffffffff01a001022a0c0a046d6f6465220178a001032a0f0a05616c706861150000803ea001012a090a047a65
  726fa001022a0a0a05656d707479a00107120367c3a92abd090a03ac020110014201774ab009*2a0f10074201654a08fbfffffffffffff
  f2a080a0100100342016f5a160a015912110a0f0801120b0a0312016e0a040880c4015a0b0a017312060a040807120062120a015a120d0
  a0b080612070a000a0312016d42021011`;

describe('an encoded model', () => {
  it('has the bytes that a Protocol Buffers library gives it', () => {
    const hex = Buffer.from(encodeOnnx(graph)).toString('hex');
    expect(hex.replace('0000c03f'.repeat(300), '*')).toBe(EXPECTED.replaceAll(/\s/g, ''));
  });

  it('is run by ONNX Runtime, attributes below zero and of several numbers included', async () => {
    const session = await createSession({
      name: 'last axis first, then its sum',
      nodes: [
        { op: 'Transpose', inputs: ['X'], outputs: ['T'], attributes: { perm: [2, 0, 1] } },
        { op: 'Softmax', inputs: ['T'], outputs: ['S'], attributes: { axis: -1 } },
        { op: 'Add', inputs: ['S', 'one'], outputs: ['Z'] },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: [1, 2, 'n'] }],
      outputs: [{ name: 'Z', type: 'float32', shape: ['n', 1, 2] }],
      initializers: [{ name: 'one', shape: [1], data: Float32Array.of(1) }],
    });
    const { Tensor } = await onnxRuntime();
    const { Z } = await session.run({
      X: new Tensor('float32', Float32Array.of(0, 5, 0, 5, 5, 5), [1, 2, 3]),
    });
    expect(Z!.dims).toEqual([3, 1, 2]);
    const half = (difference: number) => 1 + 1 / (1 + Math.exp(difference));
    const expected = [half(5), half(-5), half(0), half(0), half(5), half(-5)];
    [...(Z!.data as Float32Array)].forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
  });
});

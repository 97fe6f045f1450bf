import { describe, expect, it } from 'vitest';
import { encodeOnnx } from '../../../../src/core/onnx-model.ts';
import { createSession, onnxRuntime } from '../../../../src/core/onnxruntime.ts';
import { gradientName, stepGraph } from '../../../../src/extract/graph/nhwc/tail-graph.ts';
import { OF_KERNELS, transposed } from '../../../../src/extract/graph/winograd-transforms.ts';
import { sizeOf } from '../../../../src/extract/tail-shapes.ts';
import type { TailProgram } from '../../../../src/extract/training.ts';
import { randomTailValues, type TailValues } from '../../../support/naive-tail.ts';

const program: TailProgram = {
  layers: [
    { kind: 'conv', name: 'a', inputs: 18, filters: 6 },
    { kind: 'conv', name: 'b', inputs: 6, filters: 7 },
    { kind: 'maxPool', name: 'p' },
    { kind: 'conv', name: 'c', inputs: 7, filters: 4 },
  ],
  input: { height: 16, width: 16, channels: 18 },
  batch: 2,
  head: { pooling: 'flatten', norm: 'l2', classes: 2 },
};

/** All gradients, one behind the other. */
async function gradientsOf(values: TailValues, mostKeptBytes: number): Promise<readonly number[]> {
  const { Tensor } = await onnxRuntime();
  const { graph, data, parameters } = stepGraph(program, mostKeptBytes);
  const session = await createSession(encodeOnnx(graph));
  const feeds = [...data, ...parameters].map(
    ({ name, shape }) => [name, new Tensor('float32', values.get(name)! as Float32Array, shape)] as const,
  );
  const found = await session.run(Object.fromEntries(feeds));
  await session.release();
  return parameters.flatMap(({ name }) => [...(found[gradientName(name)]!.data as Float32Array)]);
}

describe('stepGraph', () => {
  it('gives the same gradients where tiles are made again in the backward pass', async () => {
    const values = randomTailValues(program, 1);
    const kept = await gradientsOf(values, Infinity);
    expect(kept.length).toBeGreaterThan(1000);
    expect(await gradientsOf(values, 0)).toEqual(kept);
  });

  it('makes the tiles of each layer once more in the backward pass only where they are not kept', () => {
    const gathersOfTiles = (mostKeptBytes: number): number =>
      stepGraph(program, mostKeptBytes).graph.nodes.filter(
        ({ op, inputs }) => op === 'MatMul' && inputs[0] === 'winograd/tiles',
      ).length;
    // Three of the forward pass, two of the gradients that flow on.
    expect([gathersOfTiles(Infinity), gathersOfTiles(0)]).toEqual([5, 8]);
  });

  it('puts what only the caller reads at the end, the first layer’s gradient before the last layer’s', () => {
    const { graph, outputs } = stepGraph(program);
    const last = graph.nodes.slice(-outputs.length).map((node) => node.outputs[0]);
    expect(last).toEqual(outputs.map(({ name }) => name).toReversed());
    expect(last[0]).toBe('d/a/bias');
    const made = new Set([...graph.inputs, ...graph.initializers].map(({ name }) => name));
    for (const { inputs, outputs: tensors } of graph.nodes) {
      expect(inputs.filter((name) => !made.has(name))).toEqual([]);
      for (const name of tensors) made.add(name);
    }
  });

  it('has shapes that the outputs of a run have', () => {
    const { outputs } = stepGraph(program);
    expect(Object.fromEntries(outputs.map(({ name, shape }) => [name, sizeOf(shape)]))).toMatchObject({
      loss: 1,
      logits: 4,
      'd/a/kernel': 9 * 18 * 6,
      'd/head/kernel': 8 * 8 * 4 * 2,
    });
  });
});

describe('transposed', () => {
  it('is a real transpose, which only the backward pass would miss', () => {
    const flipped = transposed(OF_KERNELS, 36);
    for (let row = 0; row < 36; row++) {
      for (let col = 0; col < 9; col++) expect(flipped[col * 36 + row]).toBe(OF_KERNELS[row * 9 + col]);
    }
  });
});

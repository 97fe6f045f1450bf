import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeOnnx } from '../../../../src/core/onnx-model.ts';
import { oneImageGraph } from '../../../../src/extract/engines/openvino/compile-program.ts';
import { requestQueue } from '../../../../src/extract/engines/openvino/request-queue.ts';
import { requireOpenVino } from '../../../../src/extract/engines/openvino/require-openvino.ts';
import type { OpenVino } from '../../../../src/extract/engines/openvino/runtime.ts';
import { programGraph } from '../../../../src/extract/graph/program-graph.ts';
import { kerasCaffe } from '../../../support/contracts.ts';
import { hasOpenVino, needsOpenVino } from '../../../support/openvino.ts';
import { randomPixels, randomWeights, tinyBackbone } from '../../../support/tiny-backbone.ts';

const SIZE = 16;
const backbone = tinyBackbone([4, 0]);
const program = {
  backbone,
  weights: randomWeights(backbone, 1),
  contract: { ...kerasCaffe, size: SIZE },
  outputs: [{ cut: 'pool1', pooling: 'flatten' }],
} as const;
const layout = { imageBytes: SIZE * SIZE * 3, outputs: ['pool1/flatten'] };
const images = Array.from({ length: 12 }, (_, i) => randomPixels(1, SIZE, i));

describe.skipIf(!hasOpenVino)(needsOpenVino('the queue of requests'), () => {
  let openVino: OpenVino;
  let core: bigint;
  let compiled: bigint;

  beforeAll(async () => {
    openVino = await requireOpenVino();
    core = openVino.createCore();
    const model = await openVino.readModel(core, encodeOnnx(oneImageGraph(programGraph(program))));
    compiled = await openVino.compileModel(core, model);
    openVino.freeModel(model);
  });
  afterAll(() => {
    openVino.freeCompiled(compiled);
    openVino.freeCore(core);
  });

  async function inferAll(size: number, runtime = openVino): Promise<PromiseSettledResult<Float32Array>[]> {
    const queue = requestQueue(runtime, compiled, layout, size);
    const running = images.map(async (image) => {
      let features = new Float32Array();
      await queue.infer(image, ([values]) => (features = values!.slice()));
      return features;
    });
    const settled = await Promise.allSettled(running);
    queue.free();
    return settled;
  }

  it('gives each image its own features, whether one request takes all of them or more than there are do', async () => {
    const [one, three, twenty] = [await inferAll(1), await inferAll(3), await inferAll(20)];
    expect(new Set(one.map((result) => (result as PromiseFulfilledResult<Float32Array>).value[5])).size).toBe(12);
    expect(three).toEqual(one);
    expect(twenty).toEqual(one);
  });

  it.each(['start', 'wait'] as const)('fails one image when its %s fails, and infers the others', async (step) => {
    const expected = await inferAll(2);
    let calls = 0;
    const failing: OpenVino = {
      ...openVino,
      start(request) {
        if (step === 'start' && ++calls === 5) throw new Error('no more');
        openVino.start(request);
      },
      async wait(request) {
        await openVino.wait(request);
        if (step === 'wait' && ++calls === 5) throw new Error('no more');
      },
    };
    const settled = await inferAll(2, failing);
    expect(settled.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1);
    const failed = settled.findIndex(({ status }) => status === 'rejected');
    expect(settled[failed]).toMatchObject({ reason: { message: 'no more' } });
    expect(settled.toSpliced(failed, 1)).toEqual(expected.toSpliced(failed, 1));
  });

  it('refuses a model whose input is of another size, freeing what it made', () => {
    expect(() => requestQueue(openVino, compiled, { ...layout, imageBytes: 7 }, 2)).toThrow(/expected 7/);
    expect(() => requestQueue(openVino, compiled, { ...layout, outputs: ['nothing'] }, 2)).toThrow(
      /OpenVINO could not give the tensor nothing: /,
    );
  });
});

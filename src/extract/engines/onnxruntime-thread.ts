// Started by network-thread.ts: loads a network, and infers the images that lie in its slots, one by one.
import { parentPort, workerData } from 'node:worker_threads';
import { createSession, onnxRuntime, type OnnxSession, type OnnxSessionOptions } from '../../core/onnxruntime.ts';
import { serveOrders } from '../../core/threads.ts';
import { PIXELS } from '../program.ts';
import type { NetworkAnswer, NetworkOrder, NetworkThreadData } from './network-thread.ts';

/** Threads that wait for each other do not hold the cores meanwhile: images are decoded on them. */
const SETTINGS: OnnxSessionOptions = {
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
};

const { pixels, size, names } = workerData as NetworkThreadData;
const port = parentPort!;
const imageBytes = size * size * 3;
const runtime = await onnxRuntime();
/** The image of this moment, in memory of this thread alone, as the runtime takes it. */
const image = new Uint8Array(imageBytes);
let session: OnnxSession | undefined;

serveOrders<NetworkOrder>(async (order) => {
  switch (order.kind) {
    case 'load':
      session = await createSession(
        order.model,
        { ...SETTINGS, intraOpNumThreads: order.threads },
        { ownsCores: true },
      );
      port.postMessage([] satisfies NetworkAnswer);
      return;
    case 'infer': {
      image.set(new Uint8Array(pixels, order.slot * imageBytes, imageBytes));
      const results = await session!.run({ [PIXELS]: new runtime.Tensor('uint8', image, [1, size, size, 3]) }, names);
      const outputs = names.map((name) => results[name]!.data as Float32Array<ArrayBuffer>);
      port.postMessage(
        outputs satisfies NetworkAnswer,
        outputs.map(({ buffer }) => buffer),
      );
      return;
    }
    case 'release':
      await session?.release();
      port.postMessage([] satisfies NetworkAnswer);
      port.close();
  }
});

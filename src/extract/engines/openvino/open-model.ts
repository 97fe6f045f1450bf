import type { Handle } from './c-api.ts';
import { compile, modelOfBytes } from './compile-program.ts';
import { requireOpenVino } from './require-openvino.ts';
import { versionOfBuild } from './versions.ts';

/** An ONNX model of one input of bytes, whose sizes may differ from run to run. */
export interface OpenModel {
  readonly version: string;
  /** Copies of the memory of outputs, by name, for an input of these sizes. */
  run(data: Uint8Array, sizes: readonly number[], outputs: readonly string[]): Promise<readonly ArrayBuffer[]>;
  dispose(): void;
}

/**
 * A model on OpenVINO's CPU in float32, by `threads` or one per physical core (0). One run at a time. Throws
 * PACKAGE_MISSING, ENGINE_UNAVAILABLE where OpenVINO is not there, and ENGINE_FAILED with its message.
 */
export async function openModel(bytes: Uint8Array, threads: number): Promise<OpenModel> {
  const openVino = await requireOpenVino();
  const core = openVino.createCore();
  const freed: (() => void)[] = [() => openVino.freeCore(core)];
  const dispose = (): void => {
    for (const free of freed.splice(0).toReversed()) free();
  };
  try {
    openVino.setProperty(core, 'INFERENCE_PRECISION_HINT', 'f32');
    openVino.setProperty(core, 'NUM_STREAMS', '1');
    if (threads > 0) openVino.setProperty(core, 'INFERENCE_NUM_THREADS', String(threads));
    const compiled = await compile(openVino, core, modelOfBytes(bytes));
    freed.push(() => openVino.freeCompiled(compiled));
    const request = openVino.createRequest(compiled);
    freed.push(() => openVino.freeRequest(request));
    const withTensor = <T>(tensor: Handle, work: (tensor: Handle) => T): T => {
      try {
        return work(tensor);
      } finally {
        openVino.freeTensor(tensor);
      }
    };
    return {
      version: versionOfBuild(openVino.build),
      async run(data, sizes, outputs) {
        withTensor(openVino.inputTensor(request), (input) => {
          openVino.setShape(input, sizes);
          new Uint8Array(openVino.tensorMemory(input)).set(data);
        });
        openVino.start(request);
        await openVino.wait(request);
        return outputs.map((name) =>
          withTensor(openVino.namedTensor(request, name), (output) => openVino.tensorMemory(output).slice(0)),
        );
      },
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

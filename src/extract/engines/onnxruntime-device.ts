import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { createSession, type OnnxRuntime, type OnnxSessionOptions } from '../../core/onnxruntime.ts';
import type { OnnxGraph } from '../../core/onnx-model.ts';
import type { Device } from './engine.ts';

/** Where the libraries are that permafrost does not bring (scripts/bundle-onnxruntime.mjs). */
const WHOLE_PACKAGE =
  'permafrost does not bring: run "npm install onnxruntime-node" in a folder and set PERMAFROST_ONNXRUNTIME to its node_modules/onnxruntime-node (docs/install.md).';

/** What to do where a device does not run; after the runtime's own reason. */
const ADVICE: Readonly<Record<Exclude<Device, 'cpu'>, string>> = {
  webgpu: `WebGPU needs a GPU with a Vulkan (Linux), Metal (macOS) or Direct3D 12 (Windows) driver; on Windows also dxcompiler.dll and dxil.dll, which ${WHOLE_PACKAGE}`,
  cuda: `CUDA needs an NVIDIA GPU, CUDA and cuDNN, and on Linux x64 ONNX Runtime's libraries for it, which ${WHOLE_PACKAGE}`,
  coreml: 'Core ML comes with macOS.',
  dml: `DirectML comes with Windows and needs a Direct3D 12 GPU; a DirectML.dll that is newer than the system's ${WHOLE_PACKAGE}`,
};

/** ENGINE_UNAVAILABLE for a device, with the runtime's reason inside. */
export function deviceUnavailable(device: Exclude<Device, 'cpu'>, cause: unknown): PermafrostError {
  return new PermafrostError(
    'ENGINE_UNAVAILABLE',
    `ONNX Runtime does not run this on the device ${device}: ${reasonOf(cause)} ${ADVICE[device]} Or take --device cpu.`,
    { cause },
  );
}

/**
 * Options of a session that runs on `device` alone. Left to itself, ONNX Runtime silently gives the CPU each operator
 * that the device lacks; `session.disable_cpu_ep_fallback` makes it refuse (onnxruntime_session_options_config_keys.h).
 */
export function onDevice(device: Device): OnnxSessionOptions {
  return device === 'cpu'
    ? { executionProviders: ['cpu'] }
    : { executionProviders: [device], extra: { session: { disable_cpu_ep_fallback: '1' } } };
}

/** The smallest network: a session of it on a device tells whether the device is there. */
const PROBE: OnnxGraph = {
  name: 'probe',
  nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
  inputs: [{ name: 'x', type: 'float32', shape: [1] }],
  outputs: [{ name: 'y', type: 'float32', shape: [1] }],
  initializers: [],
};

/** Throws ENGINE_UNAVAILABLE where `device` is not in this build or does not start on this machine. */
export async function requireDevice(runtime: OnnxRuntime, device: Device): Promise<void> {
  if (device === 'cpu') return;
  const built = runtime.listSupportedBackends().map(({ name }) => name);
  if (!built.includes(device)) {
    const here = `${process.platform} ${process.arch}`;
    throw deviceUnavailable(device, `its package for ${here} has only ${built.join(', ')}.`);
  }
  try {
    await (await createSession(PROBE, onDevice(device))).release();
  } catch (error) {
    throw deviceUnavailable(device, error);
  }
}

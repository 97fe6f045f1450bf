import { createHash, type Hash } from 'node:crypto';
import { PermafrostError } from '../../../core/errors.ts';
import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import { encodeOnnx, type OnnxGraph, type OnnxValue } from '../../../core/onnx-model.ts';
import type { Handle } from './c-api.ts';
import type { CompiledCache } from './compiled-cache.ts';
import type { OpenVino } from './runtime.ts';

/** Settings of OpenVINO's CPU device, in its own words. */
export type DeviceProperties = Readonly<Record<string, string>>;

/**
 * The graph for one image: features cannot depend on neighbours, and no batch size needs another compilation. Measured
 * on two cores, batches of 1, 4 and 8 take the same processor time an image (docs/engines.md).
 */
export function oneImageGraph(graph: OnnxGraph): OnnxGraph {
  const one = (value: OnnxValue): OnnxValue => ({ ...value, shape: [1, ...value.shape.slice(1)] });
  return { ...graph, inputs: graph.inputs.map(one), outputs: graph.outputs.map(one) };
}

/** A network as OpenVINO compiles it: written out when it is read, and told apart from others without that. */
export interface CompilableModel {
  readonly bytes: () => Uint8Array;
  /** Puts its constants into the hash and gives the rest of what decides it, as JSON. */
  readonly identity: (hash: Hash) => Readonly<Record<string, unknown>>;
}

/** A graph that permafrost writes. */
export const modelOfGraph = (graph: OnnxGraph): CompilableModel => ({
  bytes: () => encodeOnnx(graph),
  identity(hash) {
    const initializers = graph.initializers.map(({ name, shape, data }) => {
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return { name, shape, type: data.constructor.name };
    });
    return { ...graph, initializers };
  },
});

/** A graph that was written already. */
export const modelOfBytes = (bytes: Uint8Array): CompilableModel => ({
  bytes: () => bytes,
  identity: () => ({ model: sha256Hex(bytes) }),
});

/** Digest of all that decides a compiled network: graph and weights, OpenVINO's build, settings, processor. */
function cacheKey(openVino: OpenVino, core: Handle, model: CompilableModel, properties: DeviceProperties): string {
  const hash = createHash('sha256');
  const network = model.identity(hash);
  const device = ['FULL_DEVICE_NAME', 'OPTIMIZATION_CAPABILITIES'].map((key) => openVino.coreProperty(core, key));
  const limit = process.env.ONEDNN_MAX_CPU_ISA ?? '';
  const rest = { ...network, build: openVino.build, properties, device, limit };
  return hash.update(canonicalJson(rest)).digest('hex').slice(0, 32);
}

/** Compiles a network on a core that has its properties set. Throws ENGINE_FAILED with OpenVINO's message. */
export async function compile(openVino: OpenVino, core: Handle, { bytes }: CompilableModel): Promise<Handle> {
  const model = await openVino.readModel(core, bytes());
  try {
    return await openVino.compileModel(core, model);
  } finally {
    openVino.freeModel(model);
  }
}

/**
 * What the cache gives, or undefined where it fails: a cache that cannot be read or written only costs half a second at
 * each start, and what OpenVINO refuses to import is compiled anew.
 */
async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const isExpected = error instanceof PermafrostError || (error instanceof Error && 'syscall' in error);
    if (!isExpected) throw error;
    return undefined;
  }
}

/** Compiles as compile does, or takes the outcome from `cache`. */
export async function compileCached(
  openVino: OpenVino,
  core: Handle,
  model: CompilableModel,
  properties: DeviceProperties,
  cache: CompiledCache,
): Promise<Handle> {
  const key = cacheKey(openVino, core, model, properties);
  const blob = await attempt(() => cache.read(key));
  if (blob !== undefined) {
    const imported = await attempt(() => openVino.importModel(core, blob));
    if (imported !== undefined) return imported;
    await attempt(() => cache.drop(key));
  }
  const compiled = await compile(openVino, core, model);
  await attempt(() => cache.write(key, (path) => openVino.exportModel(compiled, path)));
  return compiled;
}

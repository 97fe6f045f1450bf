import { createHash } from 'node:crypto';
import { PermafrostError } from '../../../core/errors.ts';
import { canonicalJson } from '../../../core/digest.ts';
import { encodeOnnx, type OnnxGraph, type OnnxValue } from '../../../core/onnx-model.ts';
import type { Handle } from './c-api.ts';
import type { CompiledCache } from './compiled-cache.ts';
import type { OpenVino } from './runtime.ts';

/** Settings of OpenVINO's CPU device, in its own words. */
export type DeviceProperties = Readonly<Record<string, string>>;

/**
 * The graph for batches of one image. Measured on two cores, batches of 1, 2, 4 and 8 and a dynamic batch infer equally fast once the
 * streams are full; with one, an image's features cannot depend on its neighbours, and no count needs padding or another compilation.
 */
export function oneImageGraph(graph: OnnxGraph): OnnxGraph {
  const one = (value: OnnxValue): OnnxValue => ({ ...value, shape: [1, ...value.shape.slice(1)] });
  return { ...graph, inputs: graph.inputs.map(one), outputs: graph.outputs.map(one) };
}

/** Digest of all that decides a compiled network: the graph to the last weight, OpenVINO's build, its settings and the processor. */
function cacheKey(openVino: OpenVino, core: Handle, graph: OnnxGraph, properties: DeviceProperties): string {
  const hash = createHash('sha256');
  const initializers = graph.initializers.map(({ name, shape, data }) => {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { name, shape, type: data.constructor.name };
  });
  const device = ['FULL_DEVICE_NAME', 'OPTIMIZATION_CAPABILITIES'].map((key) =>
    openVino.coreProperty(core, key),
  );
  const limit = process.env.ONEDNN_MAX_CPU_ISA ?? '';
  const rest = { ...graph, initializers, build: openVino.build, properties, device, limit };
  return hash.update(canonicalJson(rest)).digest('hex').slice(0, 32);
}

async function compileGraph(openVino: OpenVino, core: Handle, graph: OnnxGraph): Promise<Handle> {
  const model = await openVino.readModel(core, encodeOnnx(graph));
  try {
    return await openVino.compileModel(core, model);
  } finally {
    openVino.freeModel(model);
  }
}

/** A cached network that OpenVINO imports, or undefined: what it refuses, though undamaged, is dropped. */
async function fromCache(
  openVino: OpenVino,
  core: Handle,
  cache: CompiledCache,
  key: string,
): Promise<Handle | undefined> {
  const blob = await cache.read(key);
  if (blob === undefined) return undefined;
  try {
    return await openVino.importModel(core, blob);
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    await cache.drop(key);
    return undefined;
  }
}

/**
 * Compiles a graph on a core that has its properties set, or takes it from `cache`. Throws ENGINE_FAILED with OpenVINO's message.
 * A cache that cannot be read or written costs time, nothing else.
 */
export async function compileGraphCached(
  openVino: OpenVino,
  core: Handle,
  graph: OnnxGraph,
  properties: DeviceProperties,
  cache: CompiledCache | undefined,
): Promise<Handle> {
  if (cache === undefined) return compileGraph(openVino, core, graph);
  const key = cacheKey(openVino, core, graph, properties);
  const cached = await fromCache(openVino, core, cache, key);
  if (cached !== undefined) return cached;
  const compiled = await compileGraph(openVino, core, graph);
  await cache.write(key, (path) => openVino.exportModel(compiled, path));
  return compiled;
}

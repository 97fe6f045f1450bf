import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { loadCApi, type Argument, type CApi, type CFunction, type Handle } from './c-api.ts';
import { requireKnownVersion } from './versions.ts';

/**
 * OpenVINO with text and memory instead of pointers, promises instead of blocking calls, and ENGINE_FAILED with
 * OpenVINO's own message. Whoever gets a handle frees it, once.
 */
export interface OpenVino {
  /** The build, such as `2026.4.0-22959-99c81491cc3-releases/2026/4`. */
  readonly build: string;
  createCore(): Handle;
  setProperty(core: Handle, key: string, value: string): void;
  coreProperty(core: Handle, key: string): string;
  /** A model from ONNX bytes. */
  readModel(core: Handle, onnx: Uint8Array): Promise<Handle>;
  compileModel(core: Handle, model: Handle): Promise<Handle>;
  /** A compiled model from what exportModel wrote. OpenVINO does not notice damaged weights: check the bytes first. */
  importModel(core: Handle, blob: Uint8Array): Promise<Handle>;
  exportModel(compiled: Handle, path: string): Promise<void>;
  compiledProperty(compiled: Handle, key: string): string;
  createRequest(compiled: Handle): Handle;
  inputTensor(request: Handle): Handle;
  /** An input or an output. */
  namedTensor(request: Handle, name: string): Handle;
  /** Gives an input of a shape that the model leaves open its sizes, and memory for them. */
  setShape(tensor: Handle, sizes: readonly number[]): void;
  /** The tensor's own memory, not a copy: never touch it after the tensor's request is freed. */
  tensorMemory(tensor: Handle): ArrayBuffer;
  /** Puts the request into the device's queue and returns at once. */
  start(request: Handle): void;
  /** Waits, on one of libuv's threads, until the request's inference has ended. */
  wait(request: Handle): Promise<void>;
  freeCore(core: Handle): void;
  freeModel(model: Handle): void;
  freeCompiled(compiled: Handle): void;
  freeRequest(request: Handle): void;
  freeTensor(tensor: Handle): void;
}

const DEVICE = 'CPU';

function readBuild({ call, text }: CApi): string {
  // struct ov_version { const char* buildNumber; const char* description; }
  const version = new BigUint64Array(2);
  if (call.getVersion(version) !== 0) return 'of no stated version';
  const build = text(version[0]!);
  call.freeVersion(version);
  return build;
}

function openVino(api: CApi, build: string): OpenVino {
  const { call, text } = api;
  // koffi hands addresses to its threads and keeps nothing alive: what a call in flight reads or writes stays in here.
  const kept = new Set<readonly Argument[]>();
  // An imported model reads its weights from the bytes that it was imported from, for as long as it lives.
  const blobs = new Map<Handle, Uint8Array>();

  function takeText(address: Handle): string {
    const copy = text(address);
    call.freeText(address);
    return copy;
  }

  /** OpenVINO keeps one last message for the process: it must be read right after the call that failed. */
  function check(status: unknown, task: string): void {
    if (status === 0) return;
    const address = call.lastError() as Handle | null;
    const reason = !address ? `status ${String(status)}` : reasonOf(takeText(address));
    throw new PermafrostError('ENGINE_FAILED', `OpenVINO could not ${task}: ${reason}`);
  }

  function make(task: string, native: CFunction, ...args: Argument[]): Handle {
    const box: [null] = [null];
    check(native(...args, box), task);
    return box[0] as unknown as Handle;
  }

  async function later(task: string, native: CFunction, args: readonly Argument[]): Promise<void> {
    kept.add(args);
    try {
      const status = await new Promise<number>((resolve, reject) => {
        native.async(...args, (error: Error | null, result: number) => {
          if (error) reject(error);
          else resolve(result);
        });
      });
      check(status, task);
    } finally {
      kept.delete(args);
    }
  }

  async function makeLater(task: string, native: CFunction, ...args: Argument[]): Promise<Handle> {
    const box: [null] = [null];
    await later(task, native, [...args, box]);
    return box[0] as unknown as Handle;
  }

  return {
    build,
    createCore: () => make('start', call.createCore),
    setProperty: (core, key, value) =>
      check(call.setProperty(core, DEVICE, 'const char*', key, 'const char*', value), `set ${key}`),
    coreProperty: (core, key) => takeText(make(`tell its ${key}`, call.getProperty, core, DEVICE, key)),
    readModel: (core, onnx) => makeLater('read the model', call.readModel, core, onnx, onnx.length, null),
    compileModel: (core, model) => makeLater('compile the model', call.compileModel, core, model, DEVICE, 0),
    async importModel(core, blob) {
      const task = 'import the compiled model';
      const compiled = await makeLater(task, call.importModel, core, blob, blob.length, DEVICE);
      blobs.set(compiled, blob);
      return compiled;
    },
    exportModel: (compiled, path) => later('export the compiled model', call.exportModel, [compiled, path]),
    compiledProperty: (compiled, key) => takeText(make(`tell its ${key}`, call.compiledProperty, compiled, key)),
    createRequest: (compiled) => make('create a request', call.createRequest, compiled),
    inputTensor: (request) => make('give the input', call.inputTensor, request),
    namedTensor: (request, name) => make(`give the tensor ${name}`, call.namedTensor, request, name),
    setShape: (tensor, sizes) => check(api.setShape(tensor, sizes), `take a tensor of ${sizes.join(' x ')}`),
    tensorMemory(tensor) {
      const bytes = Number(make('tell the size of a tensor', call.tensorBytes, tensor));
      return api.memory(make('give the memory of a tensor', call.tensorData, tensor), bytes);
    },
    start: (request) => check(call.startAsync(request), 'start an inference'),
    wait: (request) => later('infer', call.wait, [request]),
    freeCore: (core) => void call.freeCore(core),
    freeModel: (model) => void call.freeModel(model),
    freeCompiled(compiled) {
      call.freeCompiled(compiled);
      blobs.delete(compiled);
    },
    freeRequest: (request) => void call.freeRequest(request),
    freeTensor: (tensor) => void call.freeTensor(tensor),
  };
}

const loaded = new Map<string, Promise<OpenVino>>();

/**
 * The C library at `path`, bound once a process. Throws PACKAGE_MISSING without koffi, ENGINE_UNAVAILABLE where the
 * library does not load or is of a release that permafrost does not know.
 */
export function loadOpenVino(path: string): Promise<OpenVino> {
  let loading = loaded.get(path);
  if (loading === undefined) {
    loading = loadCApi(path).then((api) => {
      const build = readBuild(api);
      requireKnownVersion(build, path);
      return openVino(api, build);
    });
    loading.catch(() => loaded.delete(path));
    loaded.set(path, loading);
  }
  return loading;
}

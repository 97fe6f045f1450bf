import type * as Koffi from 'koffi';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';

/** The address of an object on OpenVINO's side. */
export type Handle = bigint;

/**
 * OpenVINO's C API as far as permafrost calls it (openvino/c/*.h), the same in 2024.6, 2025.4 and 2026.4. No structure
 * but a shape goes by value and no number of `ov_element_type_e` is used, which differ between releases. koffi cannot
 * call asynchronously with variable arguments, so properties are set on the core and `properties` is 0.
 */
const PROTOTYPES = {
  getVersion: 'int ov_get_openvino_version(void* version)',
  freeVersion: 'void ov_version_free(void* version)',
  lastError: 'void* ov_get_last_err_msg()',
  freeText: 'void ov_free(const void* text)',
  createCore: 'int ov_core_create(_Out_ void** core)',
  freeCore: 'void ov_core_free(void* core)',
  setProperty: 'int ov_core_set_property(void* core, const char* device, ...)',
  getProperty: 'int ov_core_get_property(void* core, const char* device, const char* key, _Out_ void** text)',
  readModel:
    'int ov_core_read_model_from_memory_buffer(void* core, const void* bytes, size_t length, void* weights, _Out_ void** model)',
  freeModel: 'void ov_model_free(void* model)',
  compileModel:
    'int ov_core_compile_model(void* core, void* model, const char* device, size_t properties, _Out_ void** compiled)',
  importModel:
    'int ov_core_import_model(void* core, const void* bytes, size_t length, const char* device, _Out_ void** compiled)',
  exportModel: 'int ov_compiled_model_export_model(void* compiled, const char* path)',
  compiledProperty: 'int ov_compiled_model_get_property(void* compiled, const char* key, _Out_ void** text)',
  freeCompiled: 'void ov_compiled_model_free(void* compiled)',
  createRequest: 'int ov_compiled_model_create_infer_request(void* compiled, _Out_ void** request)',
  inputTensor: 'int ov_infer_request_get_input_tensor(void* request, _Out_ void** tensor)',
  namedTensor: 'int ov_infer_request_get_tensor(void* request, const char* name, _Out_ void** tensor)',
  startAsync: 'int ov_infer_request_start_async(void* request)',
  wait: 'int ov_infer_request_wait(void* request)',
  freeRequest: 'void ov_infer_request_free(void* request)',
  tensorData: 'int ov_tensor_data(void* tensor, _Out_ void** data)',
  tensorBytes: 'int ov_tensor_get_byte_size(void* tensor, _Out_ size_t* bytes)',
  freeTensor: 'void ov_tensor_free(void* tensor)',
} as const;

/** What a C function takes: typed arrays go by address; a box `[null]` receives what comes back through a pointer. */
export type Argument = Handle | string | number | Uint8Array | BigUint64Array | Handle[] | [null] | null;

/** A bound C function: called at once, or on one of libuv's threads. */
export interface CFunction {
  (...args: readonly Argument[]): number | Handle | null;
  async(...args: readonly (Argument | ((error: Error | null, status: number) => void))[]): void;
}

export interface CApi {
  readonly call: Readonly<Record<keyof typeof PROTOTYPES, CFunction>>;
  /** ov_tensor_set_shape: gives a tensor of a shape that a model leaves open these sizes, and memory for them. */
  readonly setShape: (tensor: Handle, sizes: readonly number[]) => number;
  /** A copy of the zero-terminated UTF-8 text at an address. */
  readonly text: (address: Handle) => string;
  /** The memory at an address, not copied: gone when OpenVINO frees it. */
  readonly memory: (address: Handle, bytes: number) => ArrayBuffer;
}

const REINSTALL = 'Run "npx permafrost engines add openvino" for one that fits.';

/** The package that calls C functions. Throws PACKAGE_MISSING. */
export async function loadCApiPackage(): Promise<typeof Koffi> {
  try {
    return await import('koffi');
  } catch (cause) {
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `The engine openvino calls OpenVINO through the package koffi, which does not load: ${reasonOf(cause)}. Run "npm ci" again, or "npm install koffi".`,
      { cause },
    );
  }
}

/** Binds OpenVINO's C library at `path`. Throws PACKAGE_MISSING without koffi, ENGINE_UNAVAILABLE if unfit. */
export async function loadCApi(path: string): Promise<CApi> {
  const koffi = await loadCApiPackage();
  try {
    const library = koffi.load(path);
    const bound = Object.entries(PROTOTYPES).map(([name, prototype]) => [name, library.func(prototype)]);
    // ov_shape_t of ov_shape.h.
    const shape = koffi.struct({ rank: 'int64_t', dims: 'int64_t *' });
    const setShape = library.func('ov_tensor_set_shape', 'int', ['void *', shape]);
    return {
      call: Object.fromEntries(bound) as CApi['call'],
      setShape: (tensor, sizes) => setShape(tensor, { rank: sizes.length, dims: sizes }) as number,
      text: (address) => koffi.decode.string(address),
      memory: (address, bytes) => koffi.view(address, bytes),
    };
  } catch (cause) {
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `OpenVINO's C library ${path} does not load: ${reasonOf(cause)}. ${REINSTALL}`,
      { cause },
    );
  }
}

import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { choiceOption, integerOption, resolveOptions, type OptionsOf } from '../../../core/options.ts';
import { findPackage, TFJS_ORDER, TFJS_PACKAGES, TFJS_VERSION, type TfjsPackage } from './packages.ts';
import { loadTfjs, type TfjsRuntime } from './runtime.ts';

export const TFJS_OPTIONS = {
  package: choiceOption(
    ['auto', ...TFJS_ORDER],
    'auto',
    `which npm package of tfjs runs the network; auto: the first of ${TFJS_ORDER.join(', ')} that is installed`,
  ),
  device: choiceOption(
    ['auto', 'cpu', 'gpu'],
    'auto',
    'where the network runs; auto: on the GPU where TensorFlow finds one that it can use',
  ),
  precision: choiceOption(['fp32'], 'fp32', 'number format of the network'),
  threads: integerOption(
    0,
    'threads of an operation of TensorFlow, the same for all of a process; 0: as many as it finds processors',
    { min: 0, max: 1024 },
  ),
} as const;
/** Options of the engine `tfjs`. @interface */
export type TfjsOptions = OptionsOf<typeof TFJS_OPTIONS>;

const INSTALL = {
  'node-gpu': 'npx permafrost engines add tfjs',
  node: `npm install ${TFJS_PACKAGES.node}@${TFJS_VERSION}`,
  wasm: `npm install @tensorflow/tfjs@${TFJS_VERSION} ${TFJS_PACKAGES.wasm}@${TFJS_VERSION}`,
} as const satisfies Record<TfjsPackage, string>;

/** The first package that loads, and why those before it did not. */
async function firstThatLoads(
  names: readonly TfjsPackage[],
  threads: number,
): Promise<{ readonly runtime: TfjsRuntime; readonly passed: readonly string[] }> {
  const passed: string[] = [];
  let cause: unknown;
  for (const name of names) {
    const found = findPackage(name);
    if (found === null) {
      passed.push(`${TFJS_PACKAGES[name]} is not installed.`);
      continue;
    }
    try {
      return { runtime: await loadTfjs(found, threads), passed };
    } catch (error) {
      cause = error;
      passed.push(reasonOf(error));
    }
  }
  const code = cause instanceof PermafrostError ? cause.code : 'PACKAGE_MISSING';
  throw new PermafrostError(
    code,
    `The engine tfjs has nothing to run on. ${passed.join(' ')} To install it, run "${INSTALL[names[0]!]}".`,
    { cause },
  );
}

/** A request for a device is met or refused, never changed. */
function checkDevice(runtime: TfjsRuntime, wanted: TfjsOptions['device']): void {
  if (wanted === 'auto' || wanted === runtime.device) return;
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    wanted === 'gpu'
      ? `${runtime.version} finds no GPU that it can use. It needs ${TFJS_PACKAGES['node-gpu']} with the libraries of its own installation, an NVIDIA card, and the CUDA and cuDNN of that TensorFlow (2.9: CUDA 11.2, cuDNN 8.1). Choose device cpu or auto to compute on the CPU.`
      : `${runtime.version} computes on the GPU. Set CUDA_VISIBLE_DEVICES=-1 to hide it, or choose package node.`,
  );
}

/** So is one for threads: TensorFlow makes them once a process, and WebAssembly has one. */
function checkThreads({ threads, version }: TfjsRuntime, wanted: number): void {
  if (wanted === 0 || wanted === threads) return;
  const has = threads === 0 ? 'as many threads as it found processors' : `${threads} threads`;
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    `${version} computes on ${threads === 1 ? 'one thread' : has} in this process, and ${wanted} were asked for. Leave threads out, or use a process of its own with @tensorflow/tfjs-node.`,
  );
}

function notesOn(runtime: TfjsRuntime, passed: readonly string[]): readonly string[] {
  const { name } = runtime.package;
  const notes = passed.length === 0 ? [] : [`tfjs runs on ${name}. ${passed.join(' ')}`];
  if (name === TFJS_PACKAGES['node-gpu'] && runtime.device === 'cpu') {
    notes.push(`${name} found no GPU that it can use and computes on the CPU.`);
  }
  if (name === TFJS_PACKAGES.wasm) {
    notes.push(`${name} computes on one thread of the CPU, many times slower than the engine onnxruntime.`);
  }
  return notes;
}

/** What was chosen, and what is to be told of it. */
export interface ChosenRuntime {
  readonly runtime: TfjsRuntime;
  readonly precision: TfjsOptions['precision'];
  readonly notes: readonly string[];
}

/**
 * The package that the options ask for, loaded, on the device that they ask for. `able` are the packages that can do
 * the work. Throws OPTION_INVALID, PACKAGE_MISSING where none is installed or loads, ENGINE_UNAVAILABLE where the
 * chosen device is not there.
 */
export async function chooseRuntime(
  options: Partial<TfjsOptions>,
  able: readonly TfjsPackage[] = TFJS_ORDER,
): Promise<ChosenRuntime> {
  const { package: wanted, device, precision, threads } = resolveOptions('engine tfjs', TFJS_OPTIONS, options);
  const names = wanted !== 'auto' ? [wanted] : device === 'gpu' ? (['node-gpu'] as const) : able;
  const { runtime, passed } = await firstThatLoads(names, threads);
  checkDevice(runtime, device);
  checkThreads(runtime, threads);
  return { runtime, precision, notes: notesOn(runtime, passed) };
}

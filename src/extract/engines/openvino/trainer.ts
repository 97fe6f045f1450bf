import { choiceOption, integerOption, resolveOptions, type OptionsOf } from '../../../core/options.ts';
import type { TailGraph } from '../../graph/nhwc/tail-graph.ts';
import type { Trainer } from '../../training.ts';
import { guardedAnswers, guardedStep, type LoadedGraph } from '../guarded-tail.ts';
import type { Handle } from './c-api.ts';
import { compile, modelOfGraph } from './compile-program.ts';
import { requireOpenVino } from './require-openvino.ts';
import type { OpenVino } from './runtime.ts';
import { versionOfBuild } from './versions.ts';

export const OPENVINO_TRAINER_OPTIONS = {
  device: choiceOption(['cpu'], 'cpu', 'where the layers are trained'),
  precision: choiceOption(['fp32'], 'fp32', 'number format of training'),
  threads: integerOption(0, 'threads of a step; 0: one per physical core', { min: 0 }),
} as const;
/** Options of the trainer `openvino`. @interface */
export type OpenVinoTrainerOptions = OptionsOf<typeof OPENVINO_TRAINER_OPTIONS>;

/** One step at a time has all threads; on a processor with bf16 OpenVINO would take that by itself. */
function setProperties(openVino: OpenVino, core: Handle, threads: number): void {
  openVino.setProperty(core, 'INFERENCE_PRECISION_HINT', 'f32');
  openVino.setProperty(core, 'NUM_STREAMS', '1');
  if (threads > 0) openVino.setProperty(core, 'INFERENCE_NUM_THREADS', String(threads));
}

async function load(openVino: OpenVino, threads: number, tail: TailGraph): Promise<LoadedGraph> {
  const core = openVino.createCore();
  const freed: (() => void)[] = [() => openVino.freeCore(core)];
  const release = (): void => {
    for (const free of freed.toReversed()) free();
  };
  try {
    setProperties(openVino, core, threads);
    const compiled = await compile(openVino, core, modelOfGraph(tail.graph));
    freed.push(() => openVino.freeCompiled(compiled));
    const request = openVino.createRequest(compiled);
    freed.push(() => openVino.freeRequest(request));
    // The request's own tensors: parameters are changed and gradients read where OpenVINO has them.
    const arrays = new Map<string, Float32Array>();
    for (const { name } of [...tail.data, ...tail.parameters, ...tail.outputs]) {
      const tensor = openVino.namedTensor(request, name);
      freed.push(() => openVino.freeTensor(tensor));
      arrays.set(name, new Float32Array(openVino.tensorMemory(tensor)).fill(0));
    }
    return {
      arrays,
      async run() {
        openVino.start(request);
        await openVino.wait(request);
      },
      release: () => Promise.resolve(release()),
    };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Training on OpenVINO, whose threads compute while JavaScript goes on. Throws OPTION_INVALID, PACKAGE_MISSING, or
 * ENGINE_UNAVAILABLE where OpenVINO is not found or does not load.
 */
export async function createOpenVinoTrainer(given: Partial<OpenVinoTrainerOptions> = {}): Promise<Trainer> {
  const { device, precision, threads } = resolveOptions('trainer openvino', OPENVINO_TRAINER_OPTIONS, given);
  const openVino = await requireOpenVino();
  const loadGraph = (tail: TailGraph): Promise<LoadedGraph> => load(openVino, threads, tail);
  return {
    name: 'openvino',
    device,
    precision,
    version: versionOfBuild(openVino.build),
    loadStep: (program) => guardedStep('OpenVINO', program, loadGraph),
    loadAnswers: (program) => guardedAnswers('OpenVINO', program, loadGraph),
  };
}

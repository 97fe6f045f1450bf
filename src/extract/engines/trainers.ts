import { PermafrostError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import type { Trainer } from '../training.ts';
import type { OnnxRuntimeTrainerOptions } from './onnxruntime-trainer.ts';
import type { OpenVinoTrainerOptions } from './openvino/trainer.ts';
import type { TfjsOptions } from './tfjs/choose-runtime.ts';

export type { OnnxRuntimeTrainerOptions } from './onnxruntime-trainer.ts';
export type { OpenVinoTrainerOptions } from './openvino/trainer.ts';

/** The options of each engine that trains, in its own terms. */
export interface TrainerOptionsByName {
  readonly onnxruntime: OnnxRuntimeTrainerOptions;
  readonly openvino: OpenVinoTrainerOptions;
  readonly tfjs: TfjsOptions;
}
/** An engine that trains, by its name. */
export type TrainerName = keyof TrainerOptionsByName;
/** Options of the trainer `N`: what is left out has its default. */
export type TrainerOptions<N extends TrainerName = TrainerName> = Partial<TrainerOptionsByName[N]>;

/** Each trainer with its maker, whose module is imported only when that one is asked for. */
const TRAINERS: { readonly [N in TrainerName]: (options: TrainerOptions<N>) => Promise<Trainer> } = {
  onnxruntime: async (options) => (await import('./onnxruntime-trainer.ts')).createOnnxRuntimeTrainer(options),
  openvino: async (options) => (await import('./openvino/trainer.ts')).createOpenVinoTrainer(options),
  tfjs: async (options) => (await import('./tfjs/trainer.ts')).createTfjsTrainer(options),
};

/** The names that createTrainer takes. */
export const TRAINER_NAMES = Object.freeze(Object.keys(TRAINERS)) as readonly TrainerName[];

/** Why training is in float32 alone, for the precisions that other engines infer in. */
const REFUSED: Readonly<Record<string, string>> = {
  bf16: 'gradients in bf16 are 5 to 18 % off',
  int8: 'integers have no gradients',
};

/**
 * The trainer `name` with `options` over its defaults. Throws OPTION_INVALID for an unknown name or option and for a
 * precision other than fp32, PACKAGE_MISSING where its runtime is not installed, ENGINE_UNAVAILABLE where the machine
 * cannot run it.
 */
export function createTrainer<N extends TrainerName>(name: N, options: TrainerOptions<N> = {}): Promise<Trainer> {
  return trainerNamed(name, options);
}

/** The same for an unchecked name and options, from a flag. Throws as createTrainer. @internal */
export async function trainerNamed(name: string, options: Readonly<Record<string, unknown>>): Promise<Trainer> {
  if (!Object.hasOwn(TRAINERS, name)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is no engine "${name}" that trains${suggest(name, TRAINER_NAMES)}. Choose one of: ${TRAINER_NAMES.join(', ')}.`,
    );
  }
  const { precision } = options;
  const reason = typeof precision === 'string' ? REFUSED[precision] : undefined;
  if (reason !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `Training in ${String(precision)} is refused: ${reason}. Take --precision fp32, the default of training.`,
    );
  }
  const make: (options: Readonly<Record<string, unknown>>) => Promise<Trainer> = TRAINERS[name as TrainerName];
  return make(options);
}

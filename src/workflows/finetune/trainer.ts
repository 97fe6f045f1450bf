import type { Trainer } from '../../extract/training.ts';
import { createTrainer } from '../../extract/engines/trainers.ts';
import type { FinetuneOptions } from './options.ts';

/** The trainer that the options name. Throws ENGINE_UNAVAILABLE, PACKAGE_MISSING, OPTION_INVALID. */
export const trainerOf = ({ engine, device }: Pick<FinetuneOptions, 'engine' | 'device'>): Promise<Trainer> =>
  createTrainer(engine === 'auto' ? 'onnxruntime' : engine, device === 'auto' ? {} : { device });

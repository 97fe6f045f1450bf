import { PermafrostError } from '../../core/errors.ts';
import type { Trainer } from '../../extract/training.ts';
import { createTrainer } from '../../extract/engines/trainers.ts';
import type { FinetuneOptions } from './options.ts';

/** The trainer that the options name. Throws ENGINE_UNAVAILABLE, PACKAGE_MISSING, OPTION_INVALID. */
export async function trainerOf({ engine, device }: Pick<FinetuneOptions, 'engine' | 'device'>): Promise<Trainer> {
  const name = engine === 'auto' ? 'onnxruntime' : engine;
  const trainer = await createTrainer(name, device === 'auto' ? {} : { device });
  if (trainer.precision === 'fp32') return trainer;
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    `${trainer.name} trains in ${String(trainer.precision)}, not in fp32.`,
  );
}

import { choiceOption } from '../../core/options.ts';
import { DEVICES, PRECISIONS, THREADS_OPTION } from '../../extract/engines/engine.ts';
import { ENGINE_NAMES } from '../../extract/engines/index.ts';

/** Which engine runs the network, for every command that runs it. */
export const ENGINE_OPTIONS = {
  engine: choiceOption(
    ['auto', ...ENGINE_NAMES],
    'auto',
    'what runs the network; auto: the fastest that is installed, or the one that made the stored features',
  ),
  device: choiceOption(
    ['auto', ...DEVICES],
    'auto',
    'where the network runs; a device that cannot is an error, never the CPU instead',
  ),
  precision: choiceOption(
    ['auto', ...PRECISIONS],
    'auto',
    'number format of the network; auto: bf16 where the processor has units for it, otherwise fp32; int8 is calibrated on training images',
  ),
  threads: THREADS_OPTION,
} as const;

import type { CommandSpec } from '../program.ts';
import { benchCommand } from './bench.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { enginesCommand } from './engines.ts';
import { extractCommand } from './extract.ts';
import { inspectCommand } from './inspect.ts';
import { neighborsCommand } from './neighbors.ts';
import { predictCommand } from './predict.ts';
import { runCommand } from './run.ts';
import { trainCommand } from './train.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  runCommand,
  extractCommand,
  trainCommand,
  predictCommand,
  neighborsCommand,
  inspectCommand,
  enginesCommand,
  benchCommand,
  doctorCommand,
  demoCommand,
];

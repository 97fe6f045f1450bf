import type { CommandSpec } from '../program.ts';
import { backboneCommand } from './backbone.ts';
import { backbonesCommand } from './backbones.ts';
import { checkCommand } from './check.ts';
import { benchCommand } from './bench.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { enginesCommand } from './engines.ts';
import { exportCommand } from './export.ts';
import { extractCommand } from './extract.ts';
import { finetuneCommand } from './finetune.ts';
import { gcCommand } from './gc.ts';
import { inspectCommand } from './inspect.ts';
import { mergeCommand } from './merge.ts';
import { migrateCommand } from './migrate.ts';
import { neighborsCommand } from './neighbors.ts';
import { partsCommand } from './parts.ts';
import { planCommand } from './plan.ts';
import { predictCommand } from './predict.ts';
import { repairCommand } from './repair.ts';
import { reportCommand } from './report.ts';
import { runCommand } from './run.ts';
import { serveCommand } from './serve.ts';
import { studioCommand } from './studio.ts';
import { sweepCommand } from './sweep.ts';
import { trainCommand } from './train.ts';
import { verifyCommand } from './verify.ts';
import { workerCommand } from './worker.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  runCommand,
  extractCommand,
  planCommand,
  partsCommand,
  mergeCommand,
  workerCommand,
  trainCommand,
  sweepCommand,
  finetuneCommand,
  predictCommand,
  neighborsCommand,
  exportCommand,
  checkCommand,
  reportCommand,
  studioCommand,
  serveCommand,
  inspectCommand,
  verifyCommand,
  repairCommand,
  gcCommand,
  migrateCommand,
  backboneCommand,
  backbonesCommand,
  enginesCommand,
  benchCommand,
  doctorCommand,
  demoCommand,
];

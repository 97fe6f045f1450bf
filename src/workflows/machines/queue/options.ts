import {
  booleanOption,
  integerOption,
  numberOption,
  stringOption,
  defaultsOf,
  type OptionsOf,
} from '../../../core/options.ts';
import { PLANNED_WEIGHTS } from '../../network/backbone-options.ts';
import { THREADS_OPTION } from '../../../extract/engines/engine.ts';
import { PLAN_OPTIONS } from '../options.ts';

/** How a queue's server is reached. User and password come from the environment, or the password from a file. */
export const QUEUE_OPTIONS = {
  queuePasswordFile: stringOption(
    '',
    'file that holds the password of the queue; empty: the variable PERMAFROST_QUEUE_PASSWORD, and PERMAFROST_QUEUE_USER names the user',
  ),
  queueCa: stringOption(
    '',
    'PEM file of the authority that signed the certificate of a rediss:// server; empty: those that Node trusts',
  ),
  queuePrefix: stringOption('permafrost', 'what the names of all keys on the server begin with'),
  insecure: booleanOption(
    false,
    'allow redis:// to another machine, where password and units travel in the clear and nothing proves the server',
  ),
} as const;
/** How a queue's server is reached. @interface */
export type QueueOptions = OptionsOf<typeof QUEUE_OPTIONS>;

/** Options of `worker`. */
export const WORKER_OPTIONS = {
  plan: stringOption(
    '',
    'the plan whose units are taken: its folder or its address in S3, as "permafrost plan" and "extract --queue" name it',
  ),
  root: stringOption('', 'where the images lie on this machine; empty: where the plan says'),
  weights: stringOption('', `${PLANNED_WEIGHTS}; empty: where the plan says`),
  threads: THREADS_OPTION,
  leaseSeconds: numberOption(60, 'seconds until the unit of a worker that gives no sign of life may go to another', {
    min: 0.5,
    max: 3600,
  }),
  leaseCheckSeconds: numberOption(15, 'seconds between two looks for such units', { min: 0.1, max: 3600 }),
  ...QUEUE_OPTIONS,
} as const;
/** Options of `worker`. @interface */
export type WorkerOptions = OptionsOf<typeof WORKER_OPTIONS>;
export const WORKER_DEFAULTS: WorkerOptions = defaultsOf(WORKER_OPTIONS);

/** What `extract` takes with `--queue`, beside its own options. */
export const QUEUED_OPTIONS = {
  queue: stringOption(
    '',
    'redis://HOST/0 or rediss://HOST/0: plan, put the units that are missing on this queue, and let workers extract them',
  ),
  wait: booleanOption(false, 'with --queue: wait until all units are there, telling how far they are, then merge'),
  attempts: integerOption(
    3,
    'with --queue: how often a unit is tried; a worker that is killed is not the fault of its unit and counts apart',
    { min: 1, max: 100 },
  ),
  at: PLAN_OPTIONS.at,
  unit: PLAN_OPTIONS.unit,
  again: PLAN_OPTIONS.again,
  ...QUEUE_OPTIONS,
} as const;

/** Options of `extract` on a queue: those of `plan`, and of the queue. */
export const ON_QUEUE_OPTIONS = { ...PLAN_OPTIONS, ...QUEUED_OPTIONS } as const;
/** Options of `extract` on a queue. @interface */
export type OnQueueOptions = OptionsOf<typeof ON_QUEUE_OPTIONS>;

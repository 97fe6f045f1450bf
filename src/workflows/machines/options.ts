import {
  booleanOption,
  choiceOption,
  integerOption,
  stringOption,
  without,
  type OptionsOf,
} from '../../core/options.ts';
import { THREADS_OPTION } from '../../extract/engines/engine.ts';
import { EXTRACT_OPTIONS } from '../extract/options.ts';
import { BACKBONE_OPTIONS, PLANNED_WEIGHTS } from '../network/backbone-options.ts';

/** Tuned features are made of stored maps on one machine; and a unit reads each of its files once in any case. */
const PLANNED = without(EXTRACT_OPTIONS, 'backboneFile', 'verify');

/** Options of `plan`: those of `extract`, and how the work is shared out. */
export const PLAN_OPTIONS = {
  ...PLANNED,
  backbone: BACKBONE_OPTIONS.backbone,
  at: stringOption(
    '',
    'address s3://bucket/prefix where the plan is put too, and its units are published: for machines that share no folder',
  ),
  again: booleanOption(
    false,
    'plan although the store has the features of all images already: their files are read again, and what changed is extracted',
  ),
  parts: integerOption(1, 'parts that the units are shared out into: the tasks of an array job', {
    min: 1,
    max: 1_000_000,
  }),
  unit: integerOption(
    0,
    'images of a unit, which one machine loses at most; 0: as many as fill a shard, so that the merged files are those of a run on one machine',
    { min: 0, max: 1_000_000 },
  ),
} as const;
/** Options of `plan`. @interface */
export type PlanOptions = OptionsOf<typeof PLAN_OPTIONS>;

/** Options of `extract` with a plan. */
export const PART_OPTIONS = {
  plan: stringOption(
    '',
    'folder of a plan (permafrost plan), or its address in S3: extract the units of one part of it, and publish each',
  ),
  part: stringOption(
    '',
    'the part to extract, as 3/16 (1/1: all units); auto: by the index of the task of a Slurm array, a Kubernetes indexed job or an AWS Batch array',
  ),
  first: choiceOption(['0', '1'], '0', 'the index of the first task of the array, for --part auto'),
  threads: THREADS_OPTION,
  weights: stringOption('', `${BACKBONE_OPTIONS.weights.describe}; with --plan ${PLANNED_WEIGHTS}`),
  root: stringOption('', 'folder where the images of the plan lie on this machine; empty: where they lay for the plan'),
} as const;
/** Options of the extraction of a part. @interface */
export type PartOptions = OptionsOf<typeof PART_OPTIONS>;

const RUN_OPTION = stringOption(
  '',
  'the run that is meant, by its name of 16 hex digits; needed where the store has several plans',
);

/** Options of `parts`. */
export const PARTS_OPTIONS = { run: RUN_OPTION } as const;
/** Options of `parts`. @interface */
export type PartsOptions = OptionsOf<typeof PARTS_OPTIONS>;

/** Options of `merge`. */
export const MERGE_OPTIONS = {
  run: RUN_OPTION,
  allowMissing: booleanOption(
    false,
    'merge what is there although units are missing; their images are left out of the store',
  ),
  keepParts: booleanOption(false, 'leave plan and units in the store after all were merged; else they are removed'),
} as const;
/** Options of `merge`. @interface */
export type MergeOptions = OptionsOf<typeof MERGE_OPTIONS>;

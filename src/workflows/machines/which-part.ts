import { PermafrostError } from '../../core/errors.ts';
import type { Plan } from './plan-file.ts';

/** A part of a plan: the units k with k mod `of` = `index`, so that slow classes are spread over all. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

/** Where the schedulers put the index of a task. */
const INDICES = ['SLURM_ARRAY_TASK_ID', 'JOB_COMPLETION_INDEX', 'AWS_BATCH_JOB_ARRAY_INDEX'] as const;

const invalid = (message: string): PermafrostError => new PermafrostError('OPTION_INVALID', message);

/** The units of a part, ascending. */
export function* unitsOf({ units }: Plan, { index, of }: Part): Generator<number> {
  for (let unit = index; unit < units.count; unit += of) yield unit;
}

/**
 * What `--part` names: `3/16` the third of sixteen, `1/1` all units, `auto` by the index of a task of an array job,
 * whose first is `first`. How many parts there are the plan says alone: SLURM_ARRAY_TASK_COUNT is 1 where one task runs
 * again. Throws OPTION_INVALID.
 */
export function whichPart(
  text: string,
  { parts }: Pick<Plan, 'parts'>,
  first: number,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Part {
  if (text === 'auto') return { index: indexOfTask(parts, first, environment), of: parts };
  const [, number, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (number === undefined || of === undefined)
    throw invalid(`--part takes a part such as 3/16, or auto, got ${JSON.stringify(text)}.`);
  if (of !== parts && of !== 1)
    throw invalid(
      `--part ${text}: the plan has ${parts} parts. Give one of 1/${parts} to ${parts}/${parts}, or 1/1 for all units.`,
    );
  if (number < 1 || number > of) throw invalid(`--part ${text}: parts are counted from 1 to ${of}.`);
  return { index: number - 1, of };
}

function indexOfTask(parts: number, first: number, environment: Readonly<Record<string, string | undefined>>): number {
  const set = INDICES.filter((name) => (environment[name] ?? '') !== '');
  const [name, ...others] = set;
  if (name === undefined)
    throw invalid(
      `--part auto takes the index of a task of an array job, and none of ${INDICES.join(', ')} is set here. Give the part by its number, as in --part 3/${parts}.`,
    );
  if (others.length > 0)
    throw invalid(
      `--part auto: ${set.join(' and ')} are both set, and they may differ. Unset all but one, or give the part by its number, as in --part 3/${parts}.`,
    );
  const text = environment[name]!;
  const index = /^\d+$/.test(text) ? Number(text) - first : -1;
  if (index >= 0 && index < parts) return index;
  const last = first + parts - 1;
  throw invalid(
    `--part auto: ${name} is ${JSON.stringify(text)}, and the plan has ${parts} parts, with indices from ${first} to ${last}. Give the array these indices${first === 0 && Number(text) === parts ? ', or say with --first 1 that they begin at 1' : ''}.`,
  );
}

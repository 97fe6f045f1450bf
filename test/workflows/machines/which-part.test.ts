import { describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import { arraySpec } from '../../../src/workflows/machines/array-spec.ts';
import { whichPart } from '../../../src/workflows/machines/which-part.ts';

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof PermafrostError && error.code === 'OPTION_INVALID') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the specification of an array', () => {
  it.each([
    [[], ''],
    [[3], '3'],
    [[15, 0, 12, 7, 13, 14, 7], '0,7,12-15'],
    [[1, 2, 4, 5], '1-2,4-5'],
  ])('of %j is %j', (numbers, spec) => {
    expect(arraySpec(numbers)).toBe(spec);
  });
});

describe('--part', () => {
  const plan = { parts: 16 };

  it('counts parts from 1, and takes 1/1 for all units', () => {
    expect(whichPart('3/16', plan, 0, {})).toEqual({ index: 2, of: 16 });
    expect(whichPart('16/16', plan, 0, {})).toEqual({ index: 15, of: 16 });
    expect(whichPart('1/1', plan, 0, {})).toEqual({ index: 0, of: 1 });
  });

  it.each([
    ['0/16', /counted from 1 to 16/],
    ['17/16', /counted from 1 to 16/],
    ['3/8', /the plan has 16 parts/],
    ['3', /takes a part such as 3\/16, or auto, got "3"/],
    ['', /takes a part such as/],
    ['-1/16', /takes a part such as/],
  ])('refuses %j', (text, words) => {
    expect(refusal(() => whichPart(text, plan, 0, {}))).toMatch(words);
  });

  it.each(['SLURM_ARRAY_TASK_ID', 'JOB_COMPLETION_INDEX', 'AWS_BATCH_JOB_ARRAY_INDEX'])(
    'auto takes the index of %s, and how many parts there are of the plan alone',
    (name) => {
      // As Slurm sets it where one task of an array runs again.
      const environment = { [name]: '2', SLURM_ARRAY_TASK_COUNT: '1', SLURM_ARRAY_TASK_MIN: '2' };
      expect(whichPart('auto', plan, 0, environment)).toEqual({ index: 2, of: 16 });
      expect(whichPart('auto', plan, 1, environment)).toEqual({ index: 1, of: 16 });
    },
  );

  it.each([
    [{}, 0, /none of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX, AWS_BATCH_JOB_ARRAY_INDEX is set/],
    [{ SLURM_ARRAY_TASK_ID: '' }, 0, /none of SLURM_ARRAY_TASK_ID/],
    [
      { SLURM_ARRAY_TASK_ID: '1', JOB_COMPLETION_INDEX: '1' },
      0,
      /SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are both/,
    ],
    [{ SLURM_ARRAY_TASK_ID: '16' }, 0, /indices from 0 to 15.*--first 1/],
    [{ SLURM_ARRAY_TASK_ID: '0' }, 1, /indices from 1 to 16/],
    [{ SLURM_ARRAY_TASK_ID: '1,2' }, 0, /"1,2"/],
  ])('auto refuses %j where the first is %i', (environment, first, words) => {
    expect(refusal(() => whichPart('auto', plan, first, environment))).toMatch(words);
  });
});

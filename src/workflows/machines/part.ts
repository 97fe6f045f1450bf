import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import { plural } from '../../core/words.ts';
import type { PartResult } from '../../results/machines-result.ts';
import type { Work } from '../work.ts';
import { PART_OPTIONS, type PartOptions } from './options.ts';
import { requireSamePermafrost } from './planned-extractor.ts';
import { imagesOfUnit } from './unit-lists.ts';
import { openPlan, type OpenedPlan } from './s3/shared-plan.ts';
import { openUnitWorker, type UnitOutcome } from './unit-worker.ts';
import { unitsOf, whichPart } from './which-part.ts';

/**
 * Extracts the units of one part of a plan, and publishes each; those that are there are skipped, without loading the
 * network where all are. Throws OPTION_INVALID, what `openUnitWorker` throws before any work, and INTERRUPTED: of the
 * unit under way nothing is left, and finished ones are kept.
 */
export async function extractPart(
  planPath: string,
  given: Partial<Omit<PartOptions, 'plan'>> = {},
  work: Work = {},
): Promise<PartResult> {
  const options = resolveOptions('extract', PART_OPTIONS, given);
  const opened = await openPlan(planPath);
  try {
    return await extractOpened(opened, planPath, options, work);
  } finally {
    await opened.close();
  }
}

async function extractOpened(
  opened: OpenedPlan,
  planPath: string,
  { part: text, first, root, weights, threads }: PartOptions,
  work: Work,
): Promise<PartResult> {
  const { plan } = opened.folder;
  const part = whichPart(text, plan, Number(first));
  requireSamePermafrost(plan);
  const units = [...unitsOf(plan, part)];
  const started = performance.now();
  const missing: number[] = [];
  for (const unit of units) if (!(await opened.isPublished(unit))) missing.push(unit);
  const outcomes: UnitOutcome[] = [];
  if (missing.length > 0) {
    const worker = await openUnitWorker(planPath, { ...(root !== '' && { root }), weights, threads }, work);
    try {
      for (const unit of missing) {
        const name = `unit ${unit}, ${outcomes.length + 1} of ${missing.length}`;
        outcomes.push(await extracted(worker.extract.bind(worker), unit, name, outcomes, work));
      }
    } finally {
      await worker.close();
    }
  }
  const count = (outcome: UnitOutcome['outcome']): number => outcomes.filter((one) => one.outcome === outcome).length;
  const made = outcomes.filter(({ outcome }) => outcome === 'made');
  return {
    plan: opened.place,
    run: plan.run,
    part: part.index + 1,
    parts: part.of,
    units: units.length,
    made: made.length,
    there: units.length - missing.length + count('there'),
    lostRaces: count('lost-race'),
    images: units.reduce((sum, unit) => sum + imagesOfUnit(plan, unit), 0),
    extracted: made.reduce((sum, { images, known }) => sum + images - known, 0),
    known: made.reduce((sum, { known }) => sum + known, 0),
    failures: made.reduce((sum, { failures }) => sum + failures, 0),
    seconds: (performance.now() - started) / 1000,
  };
}

/** One unit, with its progress; an interruption tells what is kept. */
async function extracted(
  extract: (unit: number, request: object) => Promise<UnitOutcome>,
  unit: number,
  name: string,
  before: readonly UnitOutcome[],
  { signal, listener }: Work,
): Promise<UnitOutcome> {
  const started = performance.now();
  const onImages = (done: number, total: number): void => {
    const seconds = (performance.now() - started) / 1000;
    listener?.progress?.({ stage: name, done, total, perSecond: seconds === 0 ? 0 : done / seconds });
  };
  try {
    return await extract(unit, { signal, onImages });
  } catch (cause) {
    if (!(cause instanceof PermafrostError) || cause.code !== 'INTERRUPTED') throw cause;
    throw new PermafrostError(
      'INTERRUPTED',
      `Interrupted in unit ${unit}, of which nothing is left; ${plural(before.length, 'unit')} of this run ${before.length === 1 ? 'is' : 'are'} finished and kept. Run the same command again to go on.`,
      { cause },
    );
  }
}

import { resolve } from 'node:path';
import { resolveOptions } from '../../core/options.ts';
import type { MachineState, PartsResult, UnitState } from '../../results/machines-result.ts';
import { arraySpec } from './array-spec.ts';
import { PARTS_OPTIONS, type PartsOptions } from './options.ts';
import { findRun } from './runs.ts';
import { openOwnPlan, sharedAt, withSharedUnits } from './s3/shared-plan.ts';
import { publishedUnits, SILENT_MS, unitFolder, unitName, type UnitUnderWay } from './unit-folder.ts';
import { imagesOfUnit } from './unit-lists.ts';
import { readUnitReport, unitReport, type UnitReport } from './unit-report.ts';

const stateOf = ({ unit, host, progress, silentMs }: UnitUnderWay): UnitState => ({
  unit,
  host,
  done: progress?.done ?? null,
  of: progress?.of ?? null,
  silentSeconds: Math.round(silentMs / 1000),
});

const rateOf = ({ progress }: UnitUnderWay): number =>
  progress === undefined || progress.seconds === 0 ? 0 : progress.done / progress.seconds;

/** The machines of some units, those with the most images first. */
function machinesOf(reports: readonly UnitReport[]): MachineState[] {
  const machines = new Map<
    string,
    { host: string; processor: string; units: number; images: number; seconds: number }
  >();
  for (const { host, processor, images, seconds } of reports) {
    const key = `${host}\n${processor}`;
    const found = machines.get(key) ?? { host, processor, units: 0, images: 0, seconds: 0 };
    found.units++;
    found.images += images;
    found.seconds += seconds;
    machines.set(key, found);
  }
  return [...machines.values()]
    .sort((a, b) => b.images - a.images || (a.host < b.host ? -1 : 1))
    .map(({ seconds, ...machine }) => ({
      ...machine,
      imagesPerSecond: seconds === 0 ? 0 : machine.images / seconds,
    }));
}

/** The finished units of a plan, where they are published, and what each tells of itself. */
async function finishedUnits(path: string, run: string) {
  const reports: UnitReport[] = [];
  const ordered = (units: ReadonlySet<number>): number[] => [...units].sort((a, b) => a - b);
  const at = await sharedAt(path);
  if (at === undefined) {
    const finished = await publishedUnits(path);
    for (const unit of ordered(finished)) reports.push(await readUnitReport(unitFolder(path, unit)));
    return { finished, reports };
  }
  return withSharedUnits(at, run, async (units) => {
    const finished = await units.published();
    for (const unit of ordered(finished))
      reports.push(await unitReport(`${at}/${unitName(unit)}`, (name) => units.read(unit, name)));
    return { finished, reports };
  });
}

/** How far a store's run is: what is finished, under way, dead, missing. Throws PLAN_NOT_FOUND, STORE_CORRUPT. */
export async function parts(storePath: string, given: Partial<PartsOptions> = {}): Promise<PartsResult> {
  const { run } = resolveOptions('parts', PARTS_OPTIONS, given);
  const store = resolve(storePath);
  const folder = await findRun(store, run);
  const { path, plan } = folder;
  const opened = await openOwnPlan(folder);
  const underWay = await opened.underWay().finally(() => opened.close());
  // After what is under way: a unit that is published between the two looks is then finished, not lost.
  const { finished, reports } = await finishedUnits(path, plan.run);
  const open = underWay.filter(({ unit }) => !finished.has(unit));
  const alive = open.filter(({ silentMs }) => silentMs <= SILENT_MS);
  const atWork = new Set(alive.map(({ unit }) => unit));
  const dead = open.filter(({ unit, silentMs }) => silentMs > SILENT_MS && !atWork.has(unit));
  const missing = Array.from({ length: plan.units.count }, (_, unit) => unit).filter(
    (unit) => !finished.has(unit) && !atWork.has(unit),
  );
  return {
    store,
    run: plan.run,
    plan: path,
    units: plan.units.count,
    finished: finished.size,
    images: plan.dataset.images,
    finishedImages: [...finished].reduce((sum, unit) => sum + imagesOfUnit(plan, unit), 0),
    failures: reports.reduce((sum, { failures }) => sum + failures.reduce((all, n) => all + n, 0), 0),
    underWay: alive.map(stateOf),
    dead: dead.map(stateOf),
    missing: arraySpec(missing),
    missingParts: arraySpec(missing.map((unit) => unit % plan.parts)),
    imagesPerSecond: alive.reduce((sum, one) => sum + rateOf(one), 0),
    machines: machinesOf(reports),
    processors: [...new Set(reports.map(({ processor }) => processor))].sort(),
  };
}

import { differences } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Failure } from '../../core/sample.ts';
import type { Remark } from '../../extract/image/remarks.ts';
import type { FeatureSet, FileEntry, Manifest, StoreFolder } from '../../store/format/manifest.ts';
import { readManifest } from '../../store/format/manifest-file.ts';
import type { Work } from '../work.ts';
import { progressMeter } from '../progress-meter.ts';
import type { Plan, PlanFolder } from './plan-file.ts';
import { unitFolder } from './unit-folder.ts';
import { readUnitReport } from './unit-report.ts';

/** A finished unit, as much of it as is kept while all are merged. */
export interface FinishedUnit {
  readonly unit: number;
  readonly path: string;
  /** The list of its images. */
  readonly samples: FileEntry;
  /** Whether it may list images whose features the store is to have. */
  readonly isPartial: boolean;
}

/** What all finished units tell. */
export interface FinishedUnits {
  readonly units: readonly FinishedUnit[];
  /** By pass: of the images themselves, then of view 1, 2 ...; in the order of the units. */
  readonly failures: readonly (readonly Failure[])[];
  readonly remarks: ReadonlyMap<string, Remark>;
  readonly processors: readonly string[];
}

/** Throws INTERRUPTED. */
export function stopBeforeMerge(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new PermafrostError('INTERRUPTED', 'Interrupted before anything was merged.', { cause: signal.reason });
}

const damaged = (path: string, problem: string): PermafrostError =>
  new PermafrostError(
    'STORE_CORRUPT',
    `${path} is no unit of this run: ${problem}. Remove that folder, and extract the unit again.`,
  );

/** Throws FINGERPRINT_MISMATCH where a unit was made under other settings, or by another engine or version of it. */
function requirePlanned({ path, manifest }: StoreFolder, { sets, engine }: Plan): void {
  for (const planned of sets) {
    const set = manifest.sets.find(({ fingerprint }) => fingerprint === planned.fingerprint);
    if (set === undefined)
      throw damaged(path, `it has no features of ${planned.settings.cut} under the planned settings`);
  }
  for (const set of manifest.sets) {
    const differing = differences(set.engine, engine, 'engine');
    if (differing.length === 0) continue;
    throw new PermafrostError(
      'FINGERPRINT_MISMATCH',
      `${path} was made by another engine than was planned: ${differing.join('; ')}. Remove that folder, and extract the unit again.`,
    );
  }
}

/** The failures of a unit, by pass. */
function byPass({ dataset }: Manifest, counts: readonly number[]): Failure[][] {
  let at = 0;
  return counts.map((count) => dataset.failures.slice(at, (at += count)));
}

/** Opens the store of a unit. Throws as readManifest. */
export const openUnit = async ({ path }: Pick<FinishedUnit, 'path'>): Promise<StoreFolder> => ({
  path,
  manifest: await readManifest(path),
});

/** The set of a unit that was planned as `fingerprint`; undefined where no image of the unit went into it. */
export const setOfUnit = ({ manifest }: StoreFolder, fingerprint: string): FeatureSet | undefined =>
  manifest.sets.find((set) => set.fingerprint === fingerprint);

/** Reads what each unit tells of itself, and whether it is of the plan. Throws STORE_CORRUPT, FINGERPRINT_MISMATCH. */
export async function readFinished(
  { path, plan }: PlanFolder,
  numbers: readonly number[],
  { signal, listener }: Work,
): Promise<FinishedUnits> {
  const units: FinishedUnit[] = [];
  const failures: Failure[][] = [];
  const remarks = new Map<string, Remark>();
  const processors = new Set<string>();
  const meter = progressMeter('checking units', numbers.length, listener, 'units');
  for (const unit of numbers) {
    stopBeforeMerge(signal);
    const store = await openUnit({ path: unitFolder(path, unit) });
    const report = await readUnitReport(store.path);
    if (report.run !== plan.run || report.unit !== unit)
      throw damaged(store.path, `it says that it is unit ${report.unit} of the run ${report.run}`);
    requirePlanned(store, plan);
    const { samples } = store.manifest.dataset;
    if (samples === undefined) throw damaged(store.path, 'it lists no images');
    units.push({ unit, path: store.path, samples, isPartial: report.known !== undefined });
    byPass(store.manifest, report.failures).forEach((some, i) => (failures[i] ??= []).push(...some));
    for (const { sha256, oneColour, hasAlpha, isClipped } of report.remarks)
      remarks.set(sha256, { ...(oneColour && { oneColour }), hasAlpha, isClipped });
    processors.add(report.processor);
    meter.advance(1, 1);
  }
  return { units, failures, remarks, processors: [...processors].sort() };
}

import { differences } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { DECODER } from '../../extract/image/formats/decoder.ts';
import { readCalibration } from '../../store/read/calibration-file.ts';
import { networkOf } from '../network/frozen-network.ts';
import { makeExtractor, type Extractor } from '../network/extractor.ts';
import { PLANNED_STORE, plannedOptions, type Plan, type PlanFolder } from './plan-file.ts';

/** Throws FINGERPRINT_MISMATCH naming what differs between a plan and this machine. */
function requireNone(differing: readonly string[]): void {
  if (differing.length === 0) return;
  throw new PermafrostError(
    'FINGERPRINT_MISMATCH',
    `This machine gives other features than those that were planned: ${differing.join('; ')}. No unit was begun. Install the same permafrost, engine and weights here as where it was planned, or plan again with what all machines have.`,
  );
}

/** What of permafrost itself must be as it was where a plan was made. */
export function requireSamePermafrost({ store, decoder }: Plan): void {
  requireNone(differences({ store: PLANNED_STORE, decoder: DECODER }, { store, decoder }));
}

/**
 * The extractor of a plan here, with so many threads; `weights`: its network's file (empty: as planned). The caller
 * disposes it. Throws FINGERPRINT_MISMATCH naming the field that differs (settings of each cut, engine,
 * device, precision, version), and what makes an engine unavailable.
 */
export async function plannedExtractor(
  { path, plan }: PlanFolder,
  { weights, threads }: { readonly weights: string; readonly threads: number },
  listener?: Listener,
): Promise<Extractor> {
  requireSamePermafrost(plan);
  const [{ quantization, settings, network: known }] = plan.sets as readonly [Plan['sets'][number]];
  const options = plannedOptions(plan);
  const extractor = await makeExtractor(
    {
      ...options,
      network: await networkOf(
        settings,
        { weights: weights || options.weights, known, cuts: plan.sets.map((set) => set.settings.cut) },
        listener,
      ),
      threads,
      cuts: plan.sets.map((set) => ({ cut: set.settings.cut, poolings: set.poolings })),
      ...(quantization && {
        calibrate: () => readCalibration(path, quantization.calibration, settings.calibration),
      }),
    },
    listener,
  );
  try {
    requireNone([
      ...differences(extractor.engine, plan.engine, 'engine'),
      ...plan.sets.flatMap((set, i) => differences(extractor.sets[i]!.settings, set.settings, set.settings.cut)),
    ]);
  } catch (error) {
    await extractor.executable.dispose();
    throw error;
  }
  return extractor;
}

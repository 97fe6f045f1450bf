import { readCalibration } from '../../store/read/calibration-file.ts';
import { tunedSets } from '../../store/read/tuned-sets.ts';
import type { Store } from '../../store/open.ts';
import { EXTRACT_DEFAULTS } from '../extract/options.ts';
import { tunedExtractor } from '../extract/tuned/tuned-features.ts';
import { tunedIntoStore } from '../extract/tuned/tuned-into-store.ts';
import { layersOfSet } from '../network/tuned-layers.ts';
import type { Work } from '../work.ts';

/**
 * Makes again what the sets of tuned networks lack, of a store that is locked, by the layers that it keeps beside them;
 * says of how many images. Throws what tunedIntoStore throws.
 */
export async function extractMissingTuned(store: Store, work: Work): Promise<number> {
  let made = 0;
  for (const { fingerprint, poolings } of store.manifest.dataset.tuned ?? []) {
    const set = tunedSets(store).find((one) => one.fingerprint === fingerprint);
    const tuned = set && (await layersOfSet(store.path, set));
    if (tuned === undefined) continue;
    const { settings, quantization } = set!;
    const calibration =
      quantization && (await readCalibration(store.path, quantization.calibration, settings.calibration));
    const network = { settings, calibration, tuned };
    const asked = { engine: 'auto', device: 'auto', precision: 'auto', weights: '' } as const;
    const extractor = await tunedExtractor(network, [{ cut: settings.cut, poolings }], asked, work);
    // What was accepted when the set was made is not asked again.
    const options = { ...EXTRACT_DEFAULTS, minCosine: -1 };
    const { fromMaps, decoded } = await tunedIntoStore(store.path, network, { extractor, options }, work);
    made += fromMaps + decoded;
  }
  return made;
}

/** What is left to do about tuned networks whose layers were lost, with their features; null where none were. */
export function lostNetworksAdvice(path: string, before: readonly string[], store: Store): string | null {
  const there = new Set(tunedSets(store).map(({ fingerprint }) => fingerprint));
  const lost = before.filter((fingerprint) => !there.has(fingerprint));
  if (lost.length === 0) return null;
  return `The layers of the tuned network ${lost.join(', ')} were lost, and its features with them: run "permafrost extract ${path} --backbone-file FILE" with its file, which brings them back.`;
}

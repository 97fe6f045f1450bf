import { PermafrostError } from '../../core/errors.ts';
import type { ExtractResult } from '../../results/extract-result.ts';
import { requireSameSettings, type FeatureSettings } from '../../store/format/fingerprint.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import { readCalibration } from '../../store/read/calibration-file.ts';
import { splitOrigin } from '../../store/read/samples.ts';
import { currentSets } from '../../store/read/stored-parts.ts';
import type { Store } from '../../store/open.ts';
import type { CutRequest } from '../network/cuts.ts';
import { networkOf } from '../network/frozen-network.ts';
import { makeExtractor } from '../network/extractor.ts';
import { layersOfSet } from '../network/tuned-layers.ts';
import type { Work } from '../work.ts';
import { extractInto, type ViewCuts } from './extract-into.ts';
import { EXTRACT_DEFAULTS, type ExtractOptions } from './options.ts';
import { positionsWithFailures } from '../../extract/dataset/units.ts';
import { viewsOf } from './views.ts';

/** What of the images that a store lists is extracted. */
export interface StoredExtraction {
  /** Cuts with their poolings, the deepest first; by default those that the store has. */
  readonly cuts?: readonly CutRequest[];
  /** Views of each training image; by default as many as the store has. */
  readonly views?: number;
  /** The cuts that are extracted of the views too; by default all. */
  readonly viewCuts?: ViewCuts;
  /** The weights file that the store was extracted with; empty: the bundled weights. */
  readonly weights?: string;
  /** Whether what the network of a set lacks is extracted at once too. Default: none. */
  readonly isNext?: (set: FeatureSet) => boolean;
}

/**
 * Extracts what a store lacks of the images that it lists, in one pass under its own settings; the store is locked by
 * the caller. Images that failed before are not tried again. Throws FINGERPRINT_MISMATCH where this machine or the
 * weights give other features, and what extraction throws.
 */
export async function extractStored(
  store: Store,
  { cuts, views, viewCuts, weights = '', isNext }: StoredExtraction,
  work: Work,
): Promise<ExtractResult> {
  const sets = currentSets(store);
  const { settings, quantization, network: known } = sets[0].set;
  const { dtype, engineClass, calibration } = settings;
  const tuned = await layersOfSet(store.path, sets[0].set);
  const wanted = cuts ?? sets.map(({ set, poolings }) => ({ cut: set.settings.cut, poolings }));
  const sources = { weights, known, cuts: wanted.map(({ cut }) => cut) };
  const network = await networkOf(settings, sources, work.listener);
  const extractor = await makeExtractor(
    {
      network,
      cuts: wanted,
      dtype,
      engine: 'auto',
      precision: 'auto',
      engineClass,
      ...(tuned && { tuned: { ...tuned, weights: settings.weights, tail: settings.tail } }),
      ...(quantization && { calibrate: () => readCalibration(store.path, quantization.calibration, calibration) }),
    },
    work.listener,
  );
  try {
    for (const { set } of sets) {
      const made = extractor.sets.find((one) => one.settings.cut === set.settings.cut);
      if (made !== undefined) requireSameSettings('What is installed here', set.settings, made.settings);
    }
    requireCalibrated(store.path, settings, extractor.sets[0].settings.cut);
    const samples = await store.samples();
    const dataset = {
      root: store.manifest.dataset.root,
      samples: Array.from(samples, ({ path, label, split }) => ({ path, label, split })),
      hasSplits: true,
      warnings: [],
      // What failed before is no part of the samples, and is not tried again.
      failures: store.manifest.dataset.failures,
    };
    const options: ExtractOptions = {
      ...EXTRACT_DEFAULTS,
      // What was accepted when the set was made is not asked again.
      minCosine: -1,
      ...viewsOf(store),
      ...(views !== undefined && { views }),
      store: store.path,
      dtype,
    };
    const split = await splitOrigin(store.files, store.manifest);
    const positions = positionsWithFailures(dataset.samples, dataset.failures);
    const into = { dataset, extractor, options, split, positions, viewCuts, ...(isNext && { isNext }) };
    return (await extractInto(store.path, into, work)).result;
  } finally {
    await extractor.executable.dispose();
  }
}

/** Throws OPTION_INVALID where int8 features are asked for deeper than their calibration goes. */
function requireCalibrated(store: string, { cut, calibration }: FeatureSettings, deepest: string): void {
  if (calibration === undefined || deepest === cut) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `${store} holds int8 features calibrated up to ${cut}, and ${deepest} lies behind it. Extract with --cut ${deepest} first.`,
  );
}

import type { Int8Calibration } from '../../../core/calibration.ts';
import { requireLayerBackbone } from '../../../extract/backbones/layer-backbones.ts';
import { layerBefore } from '../../../extract/weights/tuned-weights.ts';
import type { FeatureSettings } from '../../../store/format/fingerprint.ts';
import type { FeatureSetDraft } from '../../../store/format/manifest.ts';
import { writeLayers } from '../../../store/read/layers-file.ts';
import type { CutRequest } from '../../network/cuts.ts';
import { extractorLike, type Extractor, type ExtractorRequest } from '../../network/extractor.ts';
import type { TunedLayers } from '../../network/tuned-layers.ts';
import type { Work } from '../../work.ts';

/** A tuned network, as its features are made. */
export interface TunedFeatures {
  readonly settings: FeatureSettings;
  /** Of its frozen part, where that is in int8. */
  readonly calibration: Int8Calibration | undefined;
  readonly tuned: TunedLayers;
}

/** The extractor of a tuned network's features. Throws as extractorLike. */
export function tunedExtractor(
  { settings, calibration, tuned }: TunedFeatures,
  cuts: readonly CutRequest[],
  request: Pick<ExtractorRequest, 'engine' | 'device' | 'precision' | 'threads' | 'weights'>,
  { listener }: Work,
): Promise<Extractor> {
  const { engine, device, precision, threads, weights } = request;
  const calibrate = calibration && (() => Promise.resolve(calibration));
  return extractorLike(settings, { engine, device, precision, threads, weights, cuts, tuned, calibrate }, listener);
}

/** Keeps the layers of a tuned network beside its features, so that new images can join them. Throws STORE_WRITE. */
export async function keepLayers(store: string, set: FeatureSetDraft, tuned: TunedLayers): Promise<void> {
  set.tuned ??= { base: tuned.base, layers: await writeLayers(store, tuned.layers) };
}

/** The settings of the activations that a tail reads; undefined where there is no tail. */
export function settingsOfMaps({ settings, tuned }: Omit<TunedFeatures, 'calibration'>): FeatureSettings | undefined {
  const { tail, ...others } = settings;
  if (tail === undefined) return undefined;
  const backbone = requireLayerBackbone(settings.backbone, 'A tuned network');
  return { ...others, weights: tuned.base, cut: layerBefore(backbone, tail.from)!, dtype: tail.maps };
}

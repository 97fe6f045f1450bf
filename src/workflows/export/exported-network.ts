import type { Int8Calibration } from '../../core/calibration.ts';
import type { Listener } from '../../core/listener.ts';
import type { FeaturePart } from '../../core/sample.ts';
import { programModel } from '../../extract/engines/program-model.ts';
import { programInPrecision } from '../../extract/engines/program-in-precision.ts';
import { outputName } from '../../extract/program.ts';
import type { CalibrationTarget } from '../../extract/calibrate.ts';
import { requireSameSettings, type FeatureSettings } from '../../store/format/fingerprint.ts';
import type { HeadNetwork } from '../../store/read/heads/head-file.ts';
import { cutsOfParts } from '../network/cuts.ts';
import { engineCut } from '../network/loaded-network.ts';
import { makeExtractor, type Extractor } from '../network/extractor.ts';
import { networkOf } from '../network/frozen-network.ts';
import type { TunedLayers } from '../network/tuned-layers.ts';

/** One of the networks whose features a head takes, on ONNX Runtime. */
export interface ExportedNetwork {
  /** Runs it in the precision that the head was trained with: what the file is compared with. */
  readonly reference: Extractor;
  readonly referencePrecision: 'fp32' | 'int8';
  /** From the contract's square to features, as an ONNX model. */
  readonly model: Uint8Array;
  /** Of a tuned network: the tensor that is rounded as a store keeps it before its changed layers read it. */
  readonly rounded: string | undefined;
  /** Its parts of the head's features: the place among all, and the name of the model's output. */
  readonly parts: readonly (FeaturePart & { readonly at: number; readonly width: number; readonly output: string })[];
}

export interface NetworkRequest {
  readonly precision: 'fp32' | 'int8';
  readonly threads: number;
  /** The weights file, where it is named. */
  readonly weights: string;
  readonly tuned: TunedLayers | undefined;
  /** Where a calibration comes from that the head does not have. */
  readonly calibrate: (target: CalibrationTarget) => Promise<Int8Calibration>;
}

/** Another engine computes the same network within a tolerance, which the check of the file measures. */
const onAnyEngine = (settings: FeatureSettings): FeatureSettings => ({
  ...settings,
  engineClass: '',
  calibration: undefined,
});

/**
 * Opens a network of a head on ONNX Runtime, whatever engine the head was trained with, and writes it as a model.
 * Throws FINGERPRINT_MISMATCH where its weights are not the head's, and what opening it throws.
 */
export async function exportedNetwork(
  { settings, network: known, calibration, parts }: HeadNetwork,
  { precision, threads, weights, tuned, calibrate }: NetworkRequest,
  listener?: Listener,
): Promise<ExportedNetwork> {
  const cuts = cutsOfParts(parts);
  const sources = { weights, known, cuts: cuts.map(({ cut }) => cut) };
  const network = await networkOf(settings, sources, listener);
  const open = (wanted: 'fp32' | 'int8'): Promise<Extractor> =>
    makeExtractor(
      {
        network,
        cuts,
        dtype: settings.dtype,
        engine: 'onnxruntime',
        device: 'cpu',
        precision: wanted,
        threads,
        calibrate: (target) => (calibration === undefined ? calibrate(target) : Promise.resolve(calibration)),
        tuned: tuned && { ...tuned, weights: settings.weights, tail: settings.tail },
      },
      listener,
    );
  const referencePrecision = calibration === undefined ? 'fp32' : 'int8';
  const reference = await open(referencePrecision);
  try {
    requireSameSettings('This network', onAnyEngine(settings), onAnyEngine(reference.sets[0].settings));
    const { program } = precision === referencePrecision ? reference : await open(precision);
    return {
      reference,
      referencePrecision,
      model: programModel(programInPrecision(program, precision)),
      rounded: settings.tail?.maps === 'float16' ? engineCut(network.backbone, cuts[0]!.cut, settings) : undefined,
      parts: parts.map((part) => ({ ...part, output: outputName(part) })),
    };
  } catch (error) {
    await reference.executable.dispose();
    throw error;
  }
}

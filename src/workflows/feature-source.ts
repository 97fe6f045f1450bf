import type { Contract } from '../core/contract.ts';
import type { EngineFacts, Listener } from '../core/results.ts';
import { POOLINGS, type Pooling } from '../core/sample.ts';
import { featureWidth, outputShape } from '../extract/backbones/cut-layers.ts';
import { vgg16 } from '../extract/backbones/vgg16.ts';
import { contractNamed, contractWarning } from '../extract/contract.ts';
import type { EngineName } from '../extract/engines/index.ts';
import type { Executable, Output, Precision } from '../extract/engines/engine.ts';
import { loadWeights } from '../extract/weights/load-weights.ts';
import { engineClass } from '../extract/engines/variants.ts';
import type { Dtype, FeatureSettings } from '../store/fingerprint.ts';
import { engineOfClass, prepareEngine } from './engine-choice.ts';

export interface FeatureSourceOptions {
  readonly contract: string | Contract;
  readonly cut: string;
  readonly dtype: Dtype;
  readonly engine: EngineName | 'auto';
  readonly precision: Precision | 'auto';
  /** Class of the features that the new ones are compared with: taken unless another engine or precision is named. */
  readonly engineClass?: string | undefined;
  /** Engine classes of the features that are there already under these settings, best first; `auto` stays with them. */
  readonly held?: (settings: Omit<FeatureSettings, 'engineClass'>) => readonly string[];
  /** Another weights file than the carried one. */
  readonly weights?: string | undefined;
}

/** Everything that turns images into features, by name made into objects; the network is loaded when the first image needs it. */
export interface FeatureSource {
  readonly settings: FeatureSettings;
  readonly engine: EngineFacts;
  readonly contract: Contract;
  readonly outputs: readonly Output[];
  readonly widths: Readonly<Record<Pooling, number>>;
  readonly executable: Executable;
}

/** An executable that is loaded by its first run. */
function loadedOnUse(load: () => Promise<Executable>): Executable {
  let loading: Promise<Executable> | undefined;
  return {
    async run(pixels, count) {
      loading ??= load();
      return (await loading).run(pixels, count);
    },
    async dispose() {
      await (await loading)?.dispose();
    },
  };
}

/** Chooses and prepares engine, contract, cut and weights. Tells its choices to `listener`. The caller disposes `executable`. */
export async function featureSource(
  options: FeatureSourceOptions,
  listener: Listener = {},
): Promise<FeatureSource> {
  const contract = typeof options.contract === 'string' ? contractNamed(options.contract) : options.contract;
  const { cut, dtype } = options;
  const shape = outputShape(vgg16, cut, contract.size);
  const warning = contractWarning(contract);
  if (warning !== undefined) listener.note?.(`Warning: ${warning}`);
  const weights = await loadWeights({
    backbone: vgg16,
    ...(options.weights !== undefined && { file: options.weights }),
  });
  for (const note of weights.notes) listener.note?.(note);
  const settings = { backbone: vgg16.name, weights: weights.digest, cut, contract, dtype };
  const engine =
    (await engineOfClass(options, listener)) ??
    (await prepareEngine(options, options.held?.(settings) ?? [], listener));
  const { name, device, precision, version } = engine;
  const outputs = POOLINGS.map((pooling): Output => ({ cut, pooling }));
  const width = (pooling: Pooling): number => featureWidth(shape, pooling);
  return {
    settings: { ...settings, engineClass: engineClass({ engine: name, device, precision }) },
    engine: { name, device, precision, version },
    contract,
    outputs,
    widths: { flatten: width('flatten'), avg: width('avg'), max: width('max') },
    executable: loadedOnUse(() => engine.load({ backbone: vgg16, weights, contract, outputs })),
  };
}

import { calibrationDigest, type Int8Calibration } from '../../core/calibration.ts';
import type { Contract } from '../../core/contract.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { EngineFacts } from '../../results/extract-result.ts';
import type { Listener } from '../../core/listener.ts';
import type { Pooling, PoolingWidths } from '../../core/sample.ts';
import { featureWidth, outputShape } from '../../extract/backbones/cut-layers.ts';
import { vgg16 } from '../../extract/backbones/vgg16.ts';
import { contractNamed, contractWarning } from '../../extract/contract.ts';
import { calibrationUpTo, quantizationOf, type CalibrationTarget } from '../../extract/calibrate.ts';
import type { EngineRequest } from '../../extract/engines/choose-engine.ts';
import type { Executable } from '../../extract/engines/engine.ts';
import { loadWeights } from '../../extract/weights/load-weights.ts';
import { layerBefore } from '../../extract/weights/tuned-weights.ts';
import { engineClass } from '../../extract/engines/variants.ts';
import { requireSameSettings, type Dtype, type FeatureSettings } from '../../store/format/fingerprint.ts';
import { loadChecked } from './agreement-check.ts';
import { partsOf, type CutRequest } from './cuts.ts';
import { engineOfClass, prepareEngine } from './engine-choice.ts';
import type { Output, Program } from '../../extract/program.ts';
import { openTail, requireLastLayer, withTail } from './tail.ts';
import { tunedWeights, type TunedLayers } from './tuned-layers.ts';

export interface ExtractorOptions extends EngineRequest {
  readonly contract: string | Contract;
  /** What the network gives, the deepest cut first. */
  readonly cuts: readonly CutRequest[];
  readonly dtype: Dtype;
  /** Class of the features to compare with: taken unless another engine, device or precision is named. */
  readonly engineClass?: string | undefined;
  /** Engine classes of the features already stored under these settings, best first; `auto` stays with them. */
  readonly storedClasses?: (settings: Omit<FeatureSettings, 'engineClass'>) => readonly string[];
  /** Another weights file than the bundled one; '' or absent: that. */
  readonly weights?: string | undefined;
  /** Where int8 gets its calibration: asked only then. */
  readonly calibrate?: ((target: CalibrationTarget) => Promise<Int8Calibration>) | undefined;
  /** Of a fine-tuned network: what it changed, and what its settings say of it. */
  readonly tuned?: (TunedLayers & Pick<FeatureSettings, 'weights' | 'tail'>) | undefined;
}

/** One cut of an extractor: the settings of its features, and how they are pooled. */
export interface ExtractorSet {
  readonly settings: FeatureSettings;
  readonly poolings: readonly Pooling[];
  readonly widths: PoolingWidths;
  /** Of int8 alone: that of the layers up to the cut. */
  readonly calibration: Int8Calibration | undefined;
}

/** All that turns images into features; the network is loaded when the first image needs it. */
export interface Extractor {
  /** The cuts of the one pass, the deepest, which is the primary one, first. */
  readonly sets: readonly [ExtractorSet, ...ExtractorSet[]];
  readonly engine: EngineFacts;
  readonly contract: Contract;
  /** What a tuned network changed, where it is one. */
  readonly tuned: TunedLayers | undefined;
  /** What comes out of `executable`: the poolings of the first set, then those of the next. */
  readonly outputs: readonly Output[];
  readonly program: Program;
  /** Disposing it disposes all of `networks`. */
  readonly executable: LazyExecutable;
  /**
   * Network i runs to the cut of sets[i] and gives the outputs of that set and those after it: for images of which
   * nothing deeper is missing. The first is `executable`. Each is loaded on first use.
   */
  readonly networks: readonly LazyExecutable[];
}

/** An executable that is loaded by `load`, or by its first run. */
export interface LazyExecutable extends Executable {
  load(): Promise<void>;
}

/** The calibration where the precision needs one. Throws OPTION_INVALID where it does and there is none. */
async function calibrationFor(
  precision: string,
  { calibrate }: ExtractorOptions,
  target: CalibrationTarget,
): Promise<Int8Calibration | undefined> {
  if (precision !== 'int8') return undefined;
  if (calibrate === undefined) {
    throw new PermafrostError('OPTION_INVALID', 'int8 needs a calibration, and none is given here. Take fp32.');
  }
  return calibrate(target);
}

function loadedOnUse(make: () => Promise<Executable>): LazyExecutable {
  let made: Promise<Executable> | undefined;
  const load = (): Promise<Executable> => (made ??= make());
  return {
    async load() {
      await load();
    },
    async run(pixels, count) {
      return (await load()).run(pixels, count);
    },
    async dispose() {
      await (await made)?.dispose();
    },
  };
}

/** One cut of an extractor, with all that decides its features. */
function extractorSet(
  { cut, poolings }: CutRequest,
  settings: Omit<FeatureSettings, 'cut' | 'calibration'>,
  calibration: Int8Calibration | undefined,
): ExtractorSet {
  const shape = outputShape(vgg16, cut, settings.contract.size);
  const width = (pooling: Pooling): number => featureWidth(shape, pooling);
  // A tail runs in float32.
  const calibrated = settings.tail === undefined ? cut : layerBefore(vgg16, settings.tail.from)!;
  const own = calibration && calibrationUpTo(calibration, vgg16, calibrated);
  return {
    settings: { ...settings, cut, ...(own && { calibration: calibrationDigest(own) }) },
    poolings,
    widths: { flatten: width('flatten'), avg: width('avg'), max: width('max') },
    calibration: own,
  };
}

/** Makes engine, contract, cuts and weights, and reports its choices. The caller disposes `executable`. */
export async function makeExtractor(options: ExtractorOptions, listener: Listener = {}): Promise<Extractor> {
  const contract = typeof options.contract === 'string' ? contractNamed(options.contract) : options.contract;
  const { cuts, dtype, tuned } = options;
  const deepest = cuts[0]!.cut;
  for (const { cut } of cuts) outputShape(vgg16, cut, contract.size); // refused before any work
  if (tuned?.tail !== undefined) requireLastLayer(cuts);
  const warning = contractWarning(contract);
  if (warning !== undefined) listener.note?.(`Warning: ${warning}`);
  const base = await loadWeights({
    backbone: vgg16,
    ...(options.weights && { file: options.weights }),
  });
  for (const note of base.notes) listener.note?.(note);
  const weights = tuned === undefined ? base : tunedWeights(base, tuned, tuned);
  const tail = tuned?.tail;
  const settings = { backbone: vgg16.name, weights: weights.digest, contract, dtype, ...(tail && { tail }) };
  const storedClasses = new Set(cuts.flatMap(({ cut }) => options.storedClasses?.({ ...settings, cut }) ?? []));
  const engine =
    (await engineOfClass(options, listener)) ?? (await prepareEngine(options, [...storedClasses], listener));
  const { name, device, precision, version } = engine;
  for (const note of engine.notes ?? []) listener.note?.(note);
  // What the engine runs: all of the network, or its frozen part.
  const run = tail === undefined ? { weights, cut: deepest } : { weights: base, cut: layerBefore(vgg16, tail.from)! };
  const calibration = await calibrationFor(precision, options, { backbone: vgg16, contract, ...run });
  const made = { ...settings, engineClass: engineClass({ engine: name, device, precision }) };
  const sets = cuts.map((request) => extractorSet(request, made, calibration));
  const programs = sets.map((set, i): Program => ({
    backbone: vgg16,
    weights,
    contract,
    outputs: partsOf(cuts.slice(i)),
    ...(set.calibration && { quantization: quantizationOf(set.calibration) }),
  }));
  const [program] = programs as [Program, ...Program[]];
  const check = { threads: options.threads, listener };
  const load = async (whole: Program): Promise<Executable> => {
    if (tail === undefined) return loadChecked(engine, whole, check);
    const outputs = [{ cut: run.cut, pooling: 'flatten' }] as const;
    const opened = await openTail(weights, tail, contract.size, cuts[0]!.poolings);
    try {
      return withTail(await loadChecked(engine, { ...whole, weights: base, outputs }, check), opened, tail.maps);
    } catch (error) {
      await opened.dispose();
      throw error;
    }
  };
  const networks = programs.map((whole) => loadedOnUse(() => load(whole)));
  const executable: LazyExecutable = {
    ...networks[0]!,
    async dispose() {
      for (const network of networks) await network.dispose();
    },
  };
  return {
    sets: sets as [ExtractorSet, ...ExtractorSet[]],
    engine: { name, device, precision, version },
    contract,
    tuned,
    outputs: program.outputs,
    program,
    executable,
    networks: [executable, ...networks.slice(1)],
  };
}

/** What extractorLike is asked beside the settings, which say the rest. */
export type ExtractorRequest = Omit<ExtractorOptions, keyof FeatureSettings | 'tuned'> &
  Pick<ExtractorOptions, 'weights'> & {
    /** What a tuned network changed, where the settings are those of one. */
    readonly tuned: TunedLayers | undefined;
  };

/**
 * As makeExtractor, for features compared with those of `settings`. Throws FINGERPRINT_MISMATCH too, naming the
 * field, where this machine or the request gives others; WEIGHTS_NOT_FOUND where tuned layers are lacking.
 */
export async function extractorLike(
  settings: FeatureSettings,
  request: ExtractorRequest,
  listener?: Listener,
): Promise<Extractor> {
  const { weights, tail } = settings;
  if (tail !== undefined && request.tuned === undefined) {
    throw new PermafrostError(
      'WEIGHTS_NOT_FOUND',
      `These features are of a tuned network, and its layers from ${tail.from} on are not at hand. Give the file that carries them: --backbone-file FILE.`,
    );
  }
  const tuned = request.tuned && { ...request.tuned, weights, tail };
  const extractor = await makeExtractor({ ...settings, ...request, weights: request.weights, tuned }, listener);
  try {
    requireSameSettings('What this engine and these weights give', settings, extractor.sets[0].settings);
  } catch (error) {
    await extractor.executable.dispose();
    throw error;
  }
  return extractor;
}

import { calibrationDigest, type Int8Calibration } from '../../core/calibration.ts';
import type { Contract } from '../../core/contract.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { EngineFacts } from '../../results/extract-result.ts';
import type { Listener } from '../../core/listener.ts';
import type { PoolingWidths } from '../../core/pooling.ts';
import type { Pooling } from '../../core/sample.ts';
import { featureWidth, outputShape } from '../../extract/backbones/cut-layers.ts';
import { vgg16 } from '../../extract/backbones/vgg16.ts';
import { contractNamed, contractWarning } from '../../extract/contract.ts';
import { calibrationUpTo, quantizationOf, type CalibrationTarget } from '../../extract/calibrate.ts';
import type { EngineRequest } from '../../extract/engines/choose-engine.ts';
import type { Executable } from '../../extract/engines/engine.ts';
import { loadWeights } from '../../extract/weights/load-weights.ts';
import { engineClass } from '../../extract/engines/variants.ts';
import { requireSameSettings, type Dtype, type FeatureSettings } from '../../store/format/fingerprint.ts';
import { partsOf, type CutRequest } from './cuts.ts';
import { engineOfClass, prepareEngine } from './engine-choice.ts';
import type { Output, Program } from '../../extract/program.ts';

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
  const own = calibration && calibrationUpTo(calibration, vgg16, cut);
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
  const { cuts, dtype } = options;
  const deepest = cuts[0]!.cut;
  for (const { cut } of cuts) outputShape(vgg16, cut, contract.size); // refused before any work
  const warning = contractWarning(contract);
  if (warning !== undefined) listener.note?.(`Warning: ${warning}`);
  const weights = await loadWeights({
    backbone: vgg16,
    ...(options.weights && { file: options.weights }),
  });
  for (const note of weights.notes) listener.note?.(note);
  const settings = { backbone: vgg16.name, weights: weights.digest, contract, dtype };
  const storedClasses = new Set(cuts.flatMap(({ cut }) => options.storedClasses?.({ ...settings, cut }) ?? []));
  const engine =
    (await engineOfClass(options, listener)) ?? (await prepareEngine(options, [...storedClasses], listener));
  const { name, device, precision, version } = engine;
  for (const note of engine.notes ?? []) listener.note?.(note);
  const target = { backbone: vgg16, weights, contract, cut: deepest };
  const calibration = await calibrationFor(precision, options, target);
  const made = { ...settings, engineClass: engineClass({ engine: name, device, precision }) };
  const sets = cuts.map((request) => extractorSet(request, made, calibration));
  const programs = sets.map((set, i): Program => ({
    backbone: vgg16,
    weights,
    contract,
    outputs: partsOf(cuts.slice(i)),
    ...(set.calibration && { quantization: quantizationOf(set.calibration) }),
  }));
  const networks = programs.map((program) => loadedOnUse(() => engine.load(program)));
  const [program] = programs as [Program, ...Program[]];
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
    outputs: program.outputs,
    program,
    executable,
    networks: [executable, ...networks.slice(1)],
  };
}

/**
 * As makeExtractor, for features compared with those of `settings`. Throws FINGERPRINT_MISMATCH too, naming the
 * field, where this machine or the request gives others.
 */
export async function extractorLike(
  settings: FeatureSettings,
  request: Omit<ExtractorOptions, keyof FeatureSettings> & Pick<ExtractorOptions, 'weights'>,
  listener?: Listener,
): Promise<Extractor> {
  const extractor = await makeExtractor({ ...settings, ...request }, listener);
  try {
    requireSameSettings('What this engine and these weights give', settings, extractor.sets[0].settings);
  } catch (error) {
    await extractor.executable.dispose();
    throw error;
  }
  return extractor;
}

import { calibrationDigest, type Int8Calibration } from '../../core/calibration.ts';
import type { Contract } from '../../core/contract.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { EngineFacts } from '../../results/extract-result.ts';
import type { Listener } from '../../core/listener.ts';
import type { Pooling, PoolingWidths } from '../../core/sample.ts';
import { isLayerBackbone, type Backbone } from '../../extract/backbones/backbone.ts';
import { featureWidth, outputShape, requirePooling } from '../../extract/backbones/cut-layers.ts';
import { contractWarning } from '../../extract/contract.ts';
import { calibrationUpTo, quantizationOf, type CalibrationTarget } from '../../extract/calibrate.ts';
import type { EngineRequest } from '../../extract/engines/choice/candidates.ts';
import type { Executable } from '../../extract/engines/engine.ts';
import { featureClass } from '../../extract/engines/choice/variants.ts';
import { requireSameSettings, type Dtype, type FeatureSettings } from '../../store/format/fingerprint.ts';
import { agreementOf, decisiveFacts, isChecked } from './engine/agreement-check.ts';
import { partsOf, type CutRequest } from './cuts.ts';
import { engineOfClass, prepareEngine, type ChosenFor, type ClassRequest } from './engine/engine-choice.ts';
import { howToAllow, mayStandIn, type AllowEngine } from './engine/other-class.ts';
import type { Output, Program } from '../../extract/program.ts';
import type { GraphSources } from './graph-network.ts';
import { networkOf, type FrozenNetwork } from './frozen-network.ts';
import {
  engineCut,
  engineProgram,
  graphSettings,
  loadNetwork,
  loadWhole,
  type LoadedNetwork,
  type TunedPart,
} from './loaded-network.ts';
import { requireLastLayer } from './tail.ts';
import type { TunedLayers } from './tuned-layers.ts';

export interface ExtractorOptions extends EngineRequest, ClassRequest {
  readonly network: FrozenNetwork;
  /** What the network gives, the deepest cut first. */
  readonly cuts: readonly CutRequest[];
  readonly dtype: Dtype;
  /** Engine classes of the features already stored under these settings, best first; `auto` stays with them. */
  readonly storedClasses?: (settings: Omit<FeatureSettings, 'engineClass'>) => readonly string[];
  /** Where int8 gets its calibration: asked only then. */
  readonly calibrate?: ((target: CalibrationTarget) => Promise<Int8Calibration>) | undefined;
  /** Of a fine-tuned network: what it changed, and what its settings say of it. */
  readonly tuned?: TunedPart | undefined;
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
  /** Why the engine class of the features that are compared is not to be had here, where another stands in for it. */
  readonly ownEngineProblem?: string;
  /** What decides whether an engine agrees on the program: see agreement-check.ts. */
  readonly decisive: Readonly<Record<string, unknown>>;
  readonly contract: Contract;
  readonly network: FrozenNetwork;
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
  /** Loads it where it is not known yet whether its engine computes what it should. Throws ENGINE_DISAGREES. */
  check(): Promise<void>;
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

function loadedOnUse(make: () => Promise<Executable>, isChecked: () => Promise<boolean>): LazyExecutable {
  let made: Promise<Executable> | undefined;
  const load = (): Promise<Executable> => (made ??= make());
  return {
    async load() {
      await load();
    },
    async check() {
      if (!(await isChecked())) await load();
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
  backbone: Backbone,
  { cut, poolings }: CutRequest,
  settings: Omit<FeatureSettings, 'cut' | 'calibration'>,
  calibration: Int8Calibration | undefined,
): ExtractorSet {
  const shape = outputShape(backbone, cut, settings.contract.size);
  const width = (pooling: Pooling): number => featureWidth(shape, pooling);
  const own = calibration && calibrationUpTo(calibration, backbone, engineCut(backbone, cut, settings));
  return {
    settings: {
      ...settings,
      cut,
      ...graphSettings(backbone, cut),
      ...(own && { calibration: calibrationDigest(own) }),
    },
    poolings,
    widths: { flatten: width('flatten'), avg: width('avg'), max: width('max') },
    calibration: own,
  };
}

/** Refuses, before any work, cuts that the network does not have at the contract's size. Throws OPTION_INVALID. */
function requireCuts({ backbone, contract }: FrozenNetwork, { cuts, tuned }: ExtractorOptions): void {
  for (const { cut, poolings } of cuts) {
    outputShape(backbone, cut, contract.size);
    for (const pooling of poolings) requirePooling(backbone, { cut, pooling });
  }
  if (tuned?.tail !== undefined && isLayerBackbone(backbone)) requireLastLayer(backbone, cuts);
}

/** The very network as an engine is chosen for it, where it is a graph. */
function graphOf(
  { network, cuts, threads }: ExtractorOptions,
  { program, settings }: LoadedNetwork,
  listener: Listener,
): ChosenFor | undefined {
  const { backbone, contract, weights: file } = network;
  if (isLayerBackbone(backbone)) return undefined;
  const [{ cut }] = cuts as [CutRequest];
  const whole: Program = { ...program, outputs: partsOf(cuts) };
  return {
    measured: { settings: { ...settings, contract, ...graphSettings(backbone, cut) }, file, cut },
    tryOut: (engine) => agreementOf(engine, whole, { threads, listener }),
  };
}

/** Makes engine, contract, cuts and weights, and reports its choices. The caller disposes `executable`. */
export async function makeExtractor(options: ExtractorOptions, listener: Listener = {}): Promise<Extractor> {
  const { network, cuts, dtype, tuned } = options;
  const { backbone, contract } = network;
  requireCuts(network, options);
  const warning = contractWarning(contract);
  if (warning !== undefined) listener.note?.(`Warning: ${warning}`);
  const loaded = await loadNetwork(network, tuned, listener);
  const settings = { ...loaded.settings, contract, dtype };
  const storedClasses = new Set(
    cuts.flatMap(({ cut }) => options.storedClasses?.({ ...settings, cut, ...graphSettings(backbone, cut) }) ?? []),
  );
  const own = await engineOfClass(options, listener);
  const engine =
    own.engine ?? (await prepareEngine(options, [...storedClasses], graphOf(options, loaded, listener), listener));
  const { name, device, precision, version } = engine;
  for (const note of engine.notes ?? []) listener.note?.(note);
  const cut = engineCut(backbone, cuts[0]!.cut, settings);
  const frozen = loaded.tail === undefined ? loaded.program : { ...loaded.program, weights: loaded.tail.base };
  const calibration = await calibrationFor(precision, options, { ...frozen, cut });
  const made = { ...settings, engineClass: featureClass({ engine: name, device, precision }) };
  const sets = cuts.map((request) => extractorSet(backbone, request, made, calibration));
  const programs = sets.map((set, i): Program => ({
    ...loaded.program,
    outputs: partsOf(cuts.slice(i)),
    ...(set.calibration && { quantization: quantizationOf(set.calibration) }),
  }));
  const [program] = programs as [Program, ...Program[]];
  const check = { threads: options.threads, listener };
  const networks = programs.map((whole) =>
    loadedOnUse(
      () => loadWhole(engine, whole, loaded, cuts, check),
      () => isChecked(engine, engineProgram(whole, loaded)),
    ),
  );
  const executable: LazyExecutable = {
    ...networks[0]!,
    async dispose() {
      for (const network of networks) await network.dispose();
    },
  };
  return {
    sets: sets as [ExtractorSet, ...ExtractorSet[]],
    decisive: decisiveFacts(engine, program),
    engine: { name, device, precision, version },
    ...(own.problem !== undefined && { ownEngineProblem: own.problem }),
    contract,
    network,
    tuned,
    outputs: program.outputs,
    program,
    executable,
    networks: [executable, ...networks.slice(1)],
  };
}

/** What extractorLike is asked beside the settings, which say the rest. */
export type ExtractorRequest = Omit<ExtractorOptions, keyof FeatureSettings | 'network' | 'tuned'> &
  Omit<GraphSources, 'cuts'> & {
    /** What a tuned network changed, where the settings are those of one. */
    readonly tuned: TunedLayers | undefined;
  };

/**
 * As makeExtractor, for features compared with those of `settings`. With `allowEngine` its engine class may be another
 * one: whoever asks then compares the two (agreement/require-agreement.ts). Throws FINGERPRINT_MISMATCH too, naming the
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
  if (request.precision === 'int8' && settings.calibration === undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `These features are of ${settings.engineClass}, so that no calibration of int8 goes with them. Leave --precision out, or extract again with --precision int8.`,
    );
  }
  const tuned = request.tuned && { ...request.tuned, weights, tail };
  const { weights: file, known, cuts } = request;
  const network = await networkOf(settings, { weights: file, known, cuts: cuts.map(({ cut }) => cut) }, listener);
  const extractor = await makeExtractor({ ...settings, ...request, network, tuned }, listener);
  try {
    requireLike('What this engine and these weights give', settings, extractor.sets[0].settings, request.allowEngine);
  } catch (error) {
    await extractor.executable.dispose();
    throw error;
  }
  return extractor;
}

/** Throws FINGERPRINT_MISMATCH where features differ in more than an engine class that may stand in for the other. */
export function requireLike(
  what: string,
  expected: FeatureSettings,
  found: FeatureSettings,
  allow: AllowEngine = 'none',
): void {
  const [own, other] = [expected.engineClass, found.engineClass];
  if (own === other) return requireSameSettings(what, expected, found);
  // Of another class int8 alone has a calibration, or has none.
  const { engineClass, calibration } = found;
  requireSameSettings(what, { ...expected, engineClass, calibration }, found);
  if (mayStandIn(other, own, allow)) return;
  throw new PermafrostError(
    'FINGERPRINT_MISMATCH',
    `${what} does not fit: engineClass: "${other}", not "${own}". Leave --engine, --device and --precision out. ${howToAllow(other, own)}`,
  );
}

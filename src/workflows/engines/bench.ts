import { availableParallelism, cpus } from 'node:os';
import { PermafrostError } from '../../core/errors.ts';
import { contractLabel } from '../../extract/contract.ts';
import type { Listener } from '../../core/listener.ts';
import { cosine } from '../../core/matrix.ts';
import { resolveOptions } from '../../core/options.ts';
import type { BenchResult, BenchVariant } from '../../results/engine-results.ts';
import { median } from '../../classify/evaluate/distributions.ts';
import { engineClass, VARIANTS, type Variant } from '../../extract/engines/choice/variants.ts';
import { isLayerProgram, type Program } from '../../extract/program.ts';
import { benchImages, type BenchImages } from './bench-images.ts';
import { BENCH_OPTIONS, type BenchOptions } from './bench-options.ts';
import { agreementOf } from '../network/engine/agreement-check.ts';
import { namesOfCuts, parseCuts, type CutRequest } from '../network/cuts.ts';
import { attempt } from '../network/engine/engine-choice.ts';
import { frozenNetwork, type FrozenNetwork } from '../network/frozen-network.ts';
import { graphSettings, loadNetwork } from '../network/loaded-network.ts';
import type { Work } from '../work.ts';
import { measureInProcess, type MeasuredNetwork, type VariantAnswer } from '../network/engine/variant-process.ts';

type Measured = Extract<VariantAnswer, { rates: unknown }>;

/** A device that is not there makes ONNX Runtime write to stderr by itself: those are not tried. */
const BENCHED = VARIANTS.filter(({ onlyAsked }) => onlyAsked !== 'device');

/** int8 needs the ranges of the user's training images, which a bench does not have. */
const isMeasured = ({ precision }: Variant): boolean => precision !== 'int8';
const ONLY_LAYERS = 'it has operators of its own for lists of layers (VGG16, VGG19), and runs no graphs';
const NOT_CALIBRATED = 'it needs a calibration, which a bench does not make';

/** The cosine of each image's two vectors, shape (count). */
function cosines(a: Float32Array, b: Float32Array, count: number): number[] {
  const width = a.length / count;
  return Array.from({ length: count }, (_, image) => {
    const part = (all: Float32Array): Float32Array => all.subarray(image * width, (image + 1) * width);
    return cosine(part(a), part(b));
  });
}

/**
 * Why an engine is not measured although it runs: it computes something else. Undefined where it agrees, or does not
 * run, which its own process says. In this process, so that the reference does not count in what is measured.
 */
async function disagreement(variant: Variant, program: Program, listener?: Listener): Promise<string | undefined> {
  const { engine } = await attempt(variant);
  try {
    if (engine !== null) await agreementOf(engine, program, { listener });
    return undefined;
  } catch (error) {
    if (error instanceof PermafrostError && error.code === 'ENGINE_DISAGREES') return error.message;
    if (error instanceof PermafrostError) return undefined;
    throw error;
  }
}

/** The network that is measured, to one whole cut. */
interface BenchedNetwork {
  readonly network: FrozenNetwork;
  readonly cut: string;
  readonly program: Program;
  readonly measured: MeasuredNetwork;
}

/** Throws OPTION_INVALID for several cuts, or one with poolings. */
async function benchedNetwork(options: BenchOptions, { listener }: Work): Promise<BenchedNetwork> {
  const network = await frozenNetwork({ ...options, weights: '' }, listener);
  const { backbone, contract, weights: file } = network;
  const [{ cut }, ...others] = parseCuts(options.cut, backbone) as [CutRequest, ...CutRequest[]];
  if (others.length > 0 || (options.cut !== '' && namesOfCuts(options.cut)[0] !== options.cut)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `bench measures one whole cut, got --cut ${options.cut}. Name one, without poolings.`,
    );
  }
  const { program, settings } = await loadNetwork(network, undefined, listener ?? {});
  const measured = { settings: { ...settings, contract, ...graphSettings(backbone, cut) }, file, cut };
  return { network, cut, program: { ...program, outputs: [{ cut, pooling: 'flatten' }] }, measured };
}

/** Each variant's answers, round by round; every other round goes backwards, so that none is always warm. */
async function measureAll(
  { pixels, paths }: BenchImages,
  { program, measured: network }: BenchedNetwork,
  { rounds, seconds }: BenchOptions,
  { signal, listener }: Work,
): Promise<ReadonlyMap<Variant, VariantAnswer[]>> {
  const isGraph = !isLayerProgram(program);
  const answers = new Map<Variant, VariantAnswer[]>();
  for (const variant of BENCHED.filter(isMeasured)) {
    const problem =
      isGraph && variant.onlyLayers === true ? ONLY_LAYERS : await disagreement(variant, program, listener);
    answers.set(variant, problem === undefined ? [] : [{ problem }]);
  }
  const variants = [...answers.keys()];
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      const { engine, device, precision } = variant;
      const total = rounds * variants.length;
      listener?.progress?.({ stage: `measuring ${engineClass(variant)}`, done: done++, total, perSecond: 0 });
      if (answers.get(variant)!.some((answer) => 'problem' in answer)) continue;
      const job = { engine, device, precision, network, pixels, count: paths.length, seconds };
      answers.get(variant)!.push(await measureInProcess(job, signal));
    }
  }
  return answers;
}

/**
 * Measures the inference of every engine and precision that runs here, in fresh processes. Throws what frozenNetwork
 * and benchImages throw, ENGINE_FAILED where a process dies, INTERRUPTED.
 */
export async function bench(
  given: readonly string[] = [],
  options: Partial<BenchOptions> = {},
  work: Work = {},
): Promise<BenchResult> {
  const resolved = resolveOptions('bench', BENCH_OPTIONS, options);
  const benched = await benchedNetwork(resolved, work);
  const { backbone, contract } = benched.network;
  const images = await benchImages(given, { ...resolved, contract }, work);
  const answers = await measureAll(images, benched, resolved, work);
  const good = (variant: Variant): Measured[] =>
    (answers.get(variant) ?? []).filter((answer): answer is Measured => 'rates' in answer);
  // onnxruntime comes last and is always there.
  const reference = BENCHED.findLast((variant) => variant.precision === 'fp32' && good(variant).length > 0);
  const variants = BENCHED.map((variant): BenchVariant => {
    const { engine, device, precision } = variant;
    const measured = good(variant);
    if (measured.length === 0 || reference === undefined) {
      const problem = (answers.get(variant) ?? []).flatMap((a) => ('problem' in a ? [a.problem] : []))[0];
      return { engine, device, precision, measured: null, problem: problem ?? NOT_CALIBRATED };
    }
    const perRound = measured.map(({ rates }) => median(rates));
    const near = cosines(measured[0]!.features, good(reference)[0]!.features, images.paths.length);
    return {
      engine,
      device,
      precision,
      problem: null,
      measured: {
        version: measured[0]!.version,
        imagesPerSecond: median(perRound),
        perRound,
        cpuMsPerImage: Math.min(...measured.map(({ cpuMs }) => cpuMs)),
        peakMiB: Math.max(...measured.map(({ peakMiB }) => peakMiB)),
        cosineLeast: Math.min(...near),
        cosineMean: near.reduce((sum, cosine) => sum + cosine, 0) / near.length,
      },
    };
  });
  return {
    source: images.source,
    images: images.paths,
    failed: images.failed,
    ...(resolved.backbone !== BENCH_OPTIONS.backbone.default && { backbone: backbone.name }),
    contract: contractLabel(contract, backbone.name),
    cut: benched.cut,
    machine: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    rounds: resolved.rounds,
    reference: reference === undefined ? null : engineClass(reference),
    variants,
  };
}

import { availableParallelism, cpus } from 'node:os';
import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { cosine } from '../../core/matrix.ts';
import { resolveOptions } from '../../core/options.ts';
import type { BenchResult, BenchVariant } from '../../results/engine-results.ts';
import { median } from '../../classify/evaluate/distributions.ts';
import { vgg16 } from '../../extract/backbones/vgg.ts';
import { contractNamed } from '../../extract/contract.ts';
import { engineClass, VARIANTS, type Variant } from '../../extract/engines/variants.ts';
import type { Program } from '../../extract/program.ts';
import { loadWeights } from '../../extract/weights/load-weights.ts';
import { benchImages, type BenchImages } from './bench-images.ts';
import { BENCH_OPTIONS, type BenchOptions } from './bench-options.ts';
import { agreementOf } from '../network/agreement-check.ts';
import { attempt } from '../network/engine-choice.ts';
import type { Work } from '../work.ts';
import { measureInProcess, type VariantAnswer } from '../network/variant-process.ts';

type Measured = Extract<VariantAnswer, { rates: unknown }>;

/** A device that is not there makes ONNX Runtime write to stderr by itself: those are not tried. */
const BENCHED = VARIANTS.filter(({ onlyAsked }) => onlyAsked !== 'device');

/** int8 needs the ranges of the user's training images, which a bench does not have. */
const isMeasured = ({ precision }: Variant): boolean => precision !== 'int8';
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

/** Each variant's answers, round by round; every other round goes backwards, so that none is always warm. */
async function measureAll(
  { pixels, paths }: BenchImages,
  { rounds, contract, cut, seconds }: BenchOptions,
  { signal, listener }: Work,
): Promise<ReadonlyMap<Variant, VariantAnswer[]>> {
  const variants = BENCHED.filter(isMeasured);
  const program: Program = {
    backbone: vgg16,
    weights: await loadWeights({ backbone: vgg16 }),
    contract: contractNamed(contract),
    outputs: [{ cut, pooling: 'flatten' }],
  };
  const answers = new Map<Variant, VariantAnswer[]>();
  for (const variant of variants) {
    const problem = await disagreement(variant, program, listener);
    answers.set(variant, problem === undefined ? [] : [{ problem }]);
  }
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      const { engine, device, precision } = variant;
      const total = rounds * variants.length;
      listener?.progress?.({ stage: `measuring ${engineClass(variant)}`, done: done++, total, perSecond: 0 });
      if (answers.get(variant)!.some((answer) => 'problem' in answer)) continue;
      const job = { engine, device, precision, contract, cut, pixels, count: paths.length, seconds };
      answers.get(variant)!.push(await measureInProcess(job, signal));
    }
  }
  return answers;
}

/**
 * Measures the inference of every engine and precision that runs here, in fresh processes. Throws what benchImages
 * throws, ENGINE_FAILED where a process dies, INTERRUPTED.
 */
export async function bench(
  given: readonly string[] = [],
  options: Partial<BenchOptions> = {},
  work: Work = {},
): Promise<BenchResult> {
  const resolved = resolveOptions('bench', BENCH_OPTIONS, options);
  const images = await benchImages(given, resolved, work);
  const answers = await measureAll(images, resolved, work);
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
    contract: resolved.contract,
    cut: resolved.cut,
    machine: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    rounds: resolved.rounds,
    reference: reference === undefined ? null : engineClass(reference),
    variants,
  };
}

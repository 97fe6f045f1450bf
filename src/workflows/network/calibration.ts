import type { Int8Calibration } from '../../core/calibration.ts';
import { canonicalJson } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { random } from '../../core/random.ts';
import type { Sample } from '../../core/sample.ts';
import { agreement, type CosineToFp32 } from '../../extract/agreement.ts';
import { calibrate, calibratedNames, calibrationUpTo, type CalibrationTarget } from '../../extract/calibrate.ts';
import { networkId } from '../../extract/program.ts';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import type { ImageSource } from '../../extract/source/image-source.ts';
import { decodedImages } from '../../extract/image/decoded-images.ts';
import { programInPrecision } from '../../extract/engines/program-in-precision.ts';
import { createEngine } from '../../extract/engines/index.ts';
import { readCalibration, writeCalibration } from '../../store/read/calibration-file.ts';
import type { FeatureSetDraft, StoreFolder } from '../../store/format/manifest.ts';
import type { Extractor } from './extractor.ts';
import { progressMeter } from '../progress-meter.ts';
import type { Work } from '../work.ts';

/** Images that int8 is calibrated on and measured on, at most. */
export const CALIBRATION_IMAGES = 64;
export const MEASURED_IMAGES = 16;

/** What is calibrated or measured, and where it is kept. */
export interface Int8Job {
  readonly dataset: Dataset;
  /** What its images are read from. Default: opened from its root. */
  readonly source?: ImageSource | undefined;
  readonly store: StoreFolder;
  readonly seed: number;
  /** Images that are held out although the data set does not say so: int8 is not calibrated on them. */
  readonly except?: { has(sha256: string): boolean };
  /** As EngineRequest has it: of the network in fp32 that is calibrated, and measured against. */
  readonly threads?: number | undefined;
  readonly work: Work;
}

/** Training images first, each part in an order that the seed decides. */
function candidates({ samples }: Dataset, seed: number): { train: Sample[]; others: Sample[] } {
  const shuffled = (inTrain: boolean): Sample[] =>
    random(seed).shuffle(samples.filter(({ split }) => (split === 'train') === inTrain));
  return { train: shuffled(true), others: shuffled(false) };
}

/** Counts images, and stops on the signal. */
function counter(stage: string, total: number, { signal, listener }: Work): () => void {
  const meter = progressMeter(stage, total, listener);
  return () => {
    if (signal?.aborted) throw new PermafrostError('INTERRUPTED', `Interrupted while ${stage}. Nothing was extracted.`);
    meter.advance(1, 1);
  };
}

/** A stored calibration of the same network and contract that has all ranges of the cut, by whatever engine. */
async function storedCalibration({ store }: Int8Job, target: CalibrationTarget): Promise<Int8Calibration | undefined> {
  const { backbone, contract, cut } = target;
  const id = networkId(target);
  const wanted = canonicalJson([id.backbone, id.weights, contract]);
  const needed = calibratedNames(backbone, cut);
  const [found] = store.manifest.sets
    .filter(
      ({ settings: s, quantization }) =>
        quantization !== undefined && canonicalJson([s.backbone, s.weights, s.contract]) === wanted,
    )
    .map((set) => ({ set, names: new Set(calibratedNames(backbone, set.settings.cut)) }))
    .filter(({ names }) => needed.every((name) => names.has(name)))
    .sort((a, b) => a.names.size - b.names.size);
  if (found === undefined) return undefined;
  const { quantization, settings } = found.set;
  return calibrationUpTo(
    await readCalibration(store.path, quantization!.calibration, settings.calibration),
    backbone,
    cut,
  );
}

/**
 * The store's calibration, so that new images extend the set that is there, else a new one on at most 64 training
 * images; without others, a quarter is left to measure on. Throws OPTION_INVALID where none can be read, INTERRUPTED.
 */
export async function calibrationOf(job: Int8Job, target: CalibrationTarget): Promise<Int8Calibration> {
  const stored = await storedCalibration(job, target);
  if (stored !== undefined) return stored;
  const { train, others } = candidates(job.dataset, job.seed);
  const most = others.length > 0 ? CALIBRATION_IMAGES : Math.ceil(train.length * 0.75);
  const images = await decodedImages({
    root: job.dataset.root,
    source: job.source,
    samples: train,
    contract: target.contract,
    count: Math.min(CALIBRATION_IMAGES, most),
    ...(job.except && { except: job.except }),
    signal: job.work.signal,
  });
  const onImage = counter('calibrating int8', images.length, job.work);
  return calibrate(target, images, { threads: job.threads ?? 0, onImage });
}

/** Cosines of each output of the extractor to those of fp32, on at most 16 images that it was not calibrated on. */
async function measured(
  job: Int8Job,
  { program, executable, sets: [{ calibration }] }: Extractor,
): Promise<CosineToFp32[]> {
  const { train, others } = candidates(job.dataset, job.seed);
  const images = await decodedImages({
    root: job.dataset.root,
    source: job.source,
    samples: [...train, ...others],
    contract: program.contract,
    count: MEASURED_IMAGES,
    except: new Set(calibration?.images),
    signal: job.work.signal,
  });
  const reference = await (
    await createEngine('onnxruntime', { threads: job.threads ?? 0 })
  ).load(programInPrecision(program, 'fp32'));
  try {
    return await agreement(executable, reference, images, counter('measuring int8', images.length, job.work));
  } finally {
    await reference.dispose();
  }
}

/**
 * Gives int8 sets (`sets[i]` is that of the extractor's i-th) their calibration files and cosines to fp32. Throws
 * PRECISION_LOSS where an image falls below `minCosine` (nothing is kept then), OPTION_INVALID where there is no image
 * to measure on, STORE_WRITE.
 */
export async function requireAgreement(
  job: Int8Job,
  extractor: Extractor,
  sets: readonly FeatureSetDraft[],
  minCosine: number,
): Promise<void> {
  if (extractor.sets[0].calibration === undefined) return;
  const isMeasured = sets.every(({ quantization }) => quantization !== undefined);
  const outputs = isMeasured ? [] : await measured(job, extractor);
  const cosines = sets.map(({ quantization, settings: { cut } }) => {
    // Of a cut in several poolings the first counts: the whole map, where it is wanted.
    const cosine = quantization?.cosine ?? outputs[extractor.outputs.findIndex((output) => output.cut === cut)]!;
    const at = sets.length === 1 ? '' : ` at ${cut}`;
    const found = `cosine to fp32${at}, on ${cosine.images} images that were not calibrated on: least of these ${cosine.min.toFixed(4)}, mean ${cosine.mean.toFixed(4)}`;
    if (cosine.min < minCosine) {
      throw new PermafrostError(
        'PRECISION_LOSS',
        `int8 loses too much here: ${found}; expected ${minCosine} or more. Take --precision fp32, or accept the loss with a lower --min-cosine.`,
      );
    }
    return { cosine, found };
  });
  for (const [i, set] of sets.entries()) {
    const { cosine, found } = cosines[i]!;
    const calibration = extractor.sets[i]!.calibration!;
    job.work.listener?.note?.(`int8, calibrated on ${calibration.images.length} training images; ${found}.`);
    set.quantization ??= { calibration: await writeCalibration(job.store.path, calibration), cosine };
  }
}

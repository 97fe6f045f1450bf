import { matrix, row, type Matrix } from '../../core/matrix.ts';
import { random } from '../../core/random.ts';
import { blocksOf, joinedBlocks, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../../classify/checks.ts';
import { encodeLabels } from '../../classify/labels.ts';
import { stratifiedKFold } from '../../classify/evaluate/split.ts';
import { MOST_REFERENCE_VALUES } from '../../classify/novelty/choose-reject.ts';
import { judge } from '../../classify/novelty/reject.ts';
import { rowsOf } from '../../classify/solvers/row-moments.ts';
import { normalizedRows } from '../../classify/normalize.ts';
import { chooseSampledReject, type SampledRows } from '../../classify/novelty/sampled-reject.ts';
import { splitCounts, streamFeatures, type FeatureStream } from '../../store/read/feature-stream.ts';
import { validationOf, type TrainedHead } from './evaluate.ts';
import { BASE_BYTES } from '../memory.ts';
import { SEED, withoutRule, withRule } from './reject.ts';
import type { StreamedPlan } from './train-streamed.ts';
import type { Work } from '../work.ts';

/**
 * Rows that the threshold is calibrated on: with so many the share of false rejects varies by a quarter of a percent
 * about 5 %.
 */
const CALIBRATED_ON = 8192;
/** Bytes that a value of the sample takes: kept, as the search prepares it, and at work. */
const VALUE_BYTES = 12;

/** What the sample may take within `room` bytes, at most 200 MB: values of rows that are compared with. */
const valuesWithin = (room: number): number =>
  Math.max(0, Math.min(MOST_REFERENCE_VALUES, Math.floor(room / VALUE_BYTES)));

/**
 * Some rows of a stream, drawn by a seed whatever the order in which they are stored: of each class its share, and two
 * at least.
 */
function drawn({ labels, places }: FeatureStream, wanted: number): number[] {
  const { classes, indices } = encodeLabels(labels);
  const rows = classes.map(() => [] as number[]);
  indices.forEach((c, i) => rows[c]!.push(i));
  return rows.flatMap((own) => {
    own.sort((a, b) => places[a]! - places[b]!);
    const count = Math.min(own.length, Math.max(2, Math.round((own.length * wanted) / labels.length)));
    return random(SEED).shuffle(own).slice(0, count);
  });
}

/** Rows of a source in the order of `wanted`: one pass. */
async function gathered(source: Rows, wanted: readonly number[], { signal }: Work): Promise<Matrix> {
  const out = matrix(wanted.length, source.cols);
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  let next = 0;
  for await (const { start, X } of blocksOf(source)) {
    checkAborted(signal && { signal });
    for (; next < order.length && wanted[order[next]!]! < start + X.rows; next++)
      out.data.set(row(X, wanted[order[next]!]! - start), order[next]! * out.cols);
  }
  return out;
}

/**
 * The head trained in streams with a rule for "unknown" at a share `rate` of false rejects: by distances to a sample of
 * the training images, calibrated on others of them. No copy of a picture is on both sides. Throws what reading throws,
 * INTERRUPTED.
 */
export async function withSampledReject(
  trained: TrainedHead,
  { store, manifest, samples: all, bound = Infinity }: StreamedPlan,
  rate: number,
  work: Work,
): Promise<TrainedHead> {
  const { normalizer, parts } = trained;
  const validatedOn = validationOf(store, await splitCounts(store, manifest, all));
  const [train, val] = [
    await streamFeatures(store, manifest, parts, ['train'], { samples: all }),
    await streamFeatures(store, manifest, parts, [validatedOn], { samples: all }),
  ];
  const source = normalizedRows(normalizer, train);
  const room = bound - BASE_BYTES - train.memory - val.memory;
  const compared = Math.floor(valuesWithin(room) / source.cols);
  const calibrated = Math.min(compared, CALIBRATED_ON);
  const rows = compared === 0 ? [] : drawn(train, compared + calibrated);
  const found = await train.samplesOf(rows.map((i) => train.places[i]!));
  const samples = rows.map((i) => found.get(train.places[i]!)!);
  const nSplits = Math.max(2, Math.floor(rows.length / Math.max(1, calibrated)));
  const [fold] =
    rows.length < 2 * nSplits
      ? []
      : stratifiedKFold(
          samples.map(({ label }) => label),
          {
            keys: samples.map(({ path }) => path),
            groups: samples.map(({ sha256 }) => sha256),
            nSplits,
            seed: SEED,
          },
        );
  if (fold === undefined)
    return withoutRule(
      trained,
      rate,
      `the memory allows a sample of ${rows.length} images, which is too few`,
    );
  const order = [...fold.train, ...fold.val];
  const X = await gathered(
    source,
    order.map((i) => rows[i]!),
    work,
  );
  const labels = order.map((i) => samples[i]!.label);
  const part = (from: number, to: number): SampledRows => ({
    X: rowsOf(X, from, to),
    labels: labels.slice(from, to),
  });
  const { signal, listener } = work;
  const reference = part(0, fold.train.length);
  const choice = await chooseSampledReject(trained.head, reference, part(fold.train.length, order.length), {
    rate,
    seed: SEED,
    context: signal && { signal },
    progress: (done, total) =>
      listener?.progress?.({ stage: 'calibrating unknown', done, total, perSecond: 0 }),
  });
  if ('reason' in choice) return withoutRule(trained, rate, choice.reason);
  // By their places, as the head's answers are.
  const unknown: boolean[] = new Array<boolean>(val.rows).fill(false);
  for await (const { start, X: block } of blocksOf(joinedBlocks(normalizedRows(normalizer, val))))
    (await judge(choice.reject, trained.head, block)).unknown.forEach((is, j) => {
      unknown[val.places[start + j]!] = is;
    });
  return withRule(trained, { ...choice, comparedWith: reference.X.rows }, unknown, validatedOn);
}

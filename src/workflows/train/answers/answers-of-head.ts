import { matrix, row, type Matrix } from '../../../core/matrix.ts';
import type { Split } from '../../../core/sample.ts';
import { checkAborted } from '../../../classify/checks.ts';
import { scaledOutOfFold } from '../../../classify/cross-validation/choice.ts';
import { contentIndex, type ContentIndex } from '../../../store/format/content-index.ts';
import { NOT_JUDGED, type AnswerRows } from '../../../store/format/answers/answers-table.ts';
import type { StoredSample } from '../../../store/format/shard.ts';
import type { Store } from '../../../store/open.ts';
import type { TrainedContents } from '../../../store/read/heads/trained-contents.ts';
import { progressMeter } from '../../progress-meter.ts';
import type { Work } from '../../work.ts';
import { noveltyOf, probabilities, type TrainedHead } from '../trained-head.ts';
import { contentsOfTrain } from '../trained-on.ts';

/** What is asked of a head. */
export interface AskedHead {
  readonly trained: TrainedHead;
  /** The images, under the labels that count. */
  readonly store: Store;
  /** Splits whose images it may be asked about: those that it was measured on. */
  readonly splits: readonly Split[];
}

/** Numbers of a batch: of the features that are asked about at once, and of the answers. 16 MiB of float32 each. */
const MOST_VALUES = 2 ** 22;
const MOST_ROWS = 2 ** 14;

/** What is known out of fold, by the content of an image. */
interface KnownOutOfFold {
  readonly index: ContentIndex;
  readonly P: Matrix;
  readonly novelty: Float64Array | undefined;
}

function knownOutOfFold(trained: TrainedHead): KnownOutOfFold | undefined {
  const { outOfFold: judged } = trained;
  if (judged === undefined) return undefined;
  const index = contentIndex();
  const firsts: number[] = [];
  judged.contents.forEach((sha256, i) => {
    if (index.add(sha256) === firsts.length) firsts.push(i);
  });
  const all = scaledOutOfFold(judged.found, trained.head.temperature !== undefined);
  const P = matrix(firsts.length, all.cols);
  firsts.forEach((from, to) => row(P, to).set(row(all, from)));
  const scores = trained.noveltyOutOfFold;
  return { index, P, novelty: scores && Float64Array.from(firsts, (i) => scores[i]!) };
}

/** Samples of a batch, and where its answers go. */
function emptyRows(samples: readonly StoredSample[], classes: number): AnswerRows {
  const count = samples.length;
  return {
    samples,
    outOfFold: new Uint8Array(count),
    answered: new Uint8Array(count),
    P: matrix(count, classes),
    novelty: new Float32Array(count).fill(NaN),
    unknown: new Uint8Array(count).fill(NOT_JUDGED),
  };
}

/**
 * What a head says of every image of a store, in the order of the list: of training images, and of others with the same
 * content, what heads said that were fitted without them, where that was judged; of images of `splits` what it says
 * itself; of others nothing. Throws STORE_CORRUPT, INTERRUPTED.
 */
export async function* answersOfHead({ trained, store, splits }: AskedHead, work: Work): AsyncGenerator<AnswerRows> {
  const known = knownOutOfFold(trained);
  const trainedOn = await contentsOfTrain(store);
  const rows = await store.rows({ parts: trained.parts, memory: 'blocks' });
  const rowAt = new Int32Array(rows.rows);
  rows.places.forEach((place, i) => (rowAt[place] = i));
  const classes = trained.head.classes.length;
  const mostRows = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_VALUES / classes)));
  const mostAsked = Math.max(1, Math.floor(MOST_VALUES / rows.cols));
  const isAsked = (sample: StoredSample): boolean => splits.includes(sample.split) && !isSeen(sample, trainedOn);
  const meter = progressMeter('answering', rows.rows, work.listener, 'images');

  async function answered(samples: readonly StoredSample[], first: number): Promise<AnswerRows> {
    checkAborted(work.signal && { signal: work.signal });
    const found = emptyRows(samples, classes);
    const wanted: number[] = [];
    samples.forEach((sample, i) => {
      if (isAsked(sample)) wanted.push(i);
      else if (known !== undefined && isSeen(sample, trainedOn)) putKnown(found, i, known, sample.sha256, trained);
    });
    if (wanted.length > 0) {
      const X = matrix(wanted.length, rows.cols);
      await rows.pick(
        wanted.map((i) => rowAt[first + i]!),
        X.data,
      );
      await putAnswers(found, wanted, X, trained);
    }
    meter.advance(samples.length, samples.length);
    return found;
  }

  let batch: StoredSample[] = [];
  let [first, inBatch] = [0, 0];
  for (const sample of await store.samples()) {
    batch.push(sample);
    inBatch += Number(isAsked(sample));
    if (batch.length < mostRows && inBatch < mostAsked) continue;
    yield await answered(batch, first);
    first += batch.length;
    [batch, inBatch] = [[], 0];
  }
  if (batch.length > 0) yield await answered(batch, first);
}

/** Whether the head was trained on an image, or on another file of the same content. */
const isSeen = ({ split, sha256 }: StoredSample, trainedOn: TrainedContents): boolean =>
  split === 'train' || trainedOn.has(sha256);

function putKnown(
  found: AnswerRows,
  i: number,
  { index, P, novelty }: KnownOutOfFold,
  sha256: string,
  { reject }: TrainedHead,
): void {
  const at = index.find(sha256);
  if (at < 0) return;
  row(found.P, i).set(row(P, at));
  found.answered[i] = 1;
  found.outOfFold[i] = 1;
  const score = novelty?.[at];
  if (score !== undefined) found.novelty[i] = score;
  if (reject === undefined) found.unknown[i] = 0;
  else if (score !== undefined) found.unknown[i] = Number(score > reject.threshold);
}

async function putAnswers(
  found: AnswerRows,
  wanted: readonly number[],
  X: Matrix,
  trained: TrainedHead,
): Promise<void> {
  const P = await probabilities(trained, X);
  const judged = await noveltyOf(trained, X);
  wanted.forEach((i, j) => {
    row(found.P, i).set(row(P, j));
    found.answered[i] = 1;
    found.unknown[i] = Number(judged?.unknown[j] === true);
    if (judged !== null) found.novelty[i] = judged.scores[j]!;
  });
}

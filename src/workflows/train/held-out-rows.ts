import type { Matrix } from '../../core/matrix.ts';
import { inGigabytes } from '../../core/words.ts';
import { gatheredRows, type Rows } from '../../core/rows.ts';
import { trainingFolds } from '../../classify/out-of-fold/out-of-fold.ts';
import type { TrainVal } from '../../classify/evaluate/split.ts';
import { drawRows } from '../../classify/novelty/sampled-reject.ts';
import { BASE_BYTES } from '../memory.ts';
import type { Work } from '../work.ts';
import type { TrainingData } from './data.ts';
import { watched } from './watched-rows.ts';

const SEED = 1;
/** Most training images of which some are held out in turn, where they are read in streams. */
const MOST_SAMPLED = 4096;
/** Fewer images are not judged by folds. */
const FEWEST = 4;
const NONE = 'no training image can be held out: each class has one image, or copies of one';
/** Bytes that a value of the sample takes: as it is stored, normalised, and at work. */
const VALUE_BYTES = 12;

/** Training images in memory, of which each fold is held out in turn. */
export interface HeldOutRows {
  readonly X: Matrix;
  readonly views: readonly Matrix[];
  readonly labels: readonly string[];
  /** Paths, which are the same whatever the features. */
  readonly keys: readonly string[];
  /** SHA-256 of their files: copies of one picture are in one fold. */
  readonly contents: readonly string[];
  /** Empty where no image can be held out, or the memory has no room for a sample. */
  readonly folds: readonly TrainVal[];
  /** Why there are no folds; undefined where there are. */
  readonly problem: string | undefined;
  /** Whether they are all training images; else a sample of those that are read in streams. */
  readonly isAll: boolean;
  /** Widths of what stands side by side in X. */
  readonly parts: readonly number[];
}

/**
 * All training images, or of those that are read in streams a sample by a seed, of each class its share: copies of one
 * picture are in one fold. Throws what reading throws, INTERRUPTED.
 */
export async function heldOutRows({ train, val, parts, bound }: TrainingData, work: Work = {}): Promise<HeldOutRows> {
  const widths = parts.map(({ width }) => width);
  const isAll = train.matrix !== undefined;
  const room = Math.max(0, bound - BASE_BYTES - train.peakBytes - val.peakBytes);
  const wanted = Math.min(MOST_SAMPLED, Math.floor(room / (VALUE_BYTES * train.cols * (1 + train.views.length))));
  const rows = isAll
    ? Array.from(train.places.keys())
    : wanted < 2
      ? []
      : drawRows(train.labels, train.places, wanted, SEED).sort((a, b) => train.places[a]! - train.places[b]!);
  const found = await train.samplesOf(rows.map((i) => train.places[i]!));
  const samples = rows.map((i) => found.get(train.places[i]!)!);
  const [images, ...views] = watched([train as Rows, ...train.views], (pass) => `sampling, pass ${pass}`, work);
  const part = (some: Rows): Promise<Matrix> =>
    some.matrix === undefined ? gatheredRows(some, rows) : Promise.resolve(some.matrix);
  const labels = samples.map(({ label }) => label);
  const keys = samples.map(({ path }) => path);
  const contents = samples.map(({ sha256 }) => sha256);
  const folds = rows.length < FEWEST ? [] : trainingFolds(labels, { keys, groups: contents, seed: SEED });
  const noRoom = `a sample of the training images has no room within the memory of ${inGigabytes(bound)} (--memory)`;
  const isShort = rows.length < Math.min(FEWEST, train.rows);
  return {
    X: await part(images!),
    views: await Promise.all(views.map(part)),
    labels,
    keys,
    contents,
    folds,
    problem: folds.length > 0 ? undefined : isShort ? noRoom : NONE,
    isAll,
    parts: widths,
  };
}

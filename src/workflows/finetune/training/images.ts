import { PermafrostError } from '../../../core/errors.ts';
import type { Split } from '../../../core/sample.ts';
import { trainingFolds } from '../../../classify/out-of-fold/out-of-fold.ts';
import type { TrainVal } from '../../../classify/evaluate/split.ts';
import { encodeLabels } from '../../../classify/labels.ts';
import type { Store } from '../../../store/open.ts';
import type { StoredSample } from '../../../store/format/shard.ts';
import type { TrainedContents } from '../../../store/read/heads/trained-contents.ts';
import { contentsOfTrain, unseenImages } from '../../train/trained-on.ts';
import { requireUnseen, validationSplit } from '../../train/validation-split.ts';

/** Images in the order of their list, with their classes. */
export interface LabelledImages {
  readonly samples: readonly StoredSample[];
  /** Indices into the classes of Train, shape (n); -1 for a class that Train lacks. */
  readonly truth: Int32Array;
}

export interface TrainingImages extends LabelledImages {
  /** Names, sorted. */
  readonly classes: readonly string[];
  readonly contents: TrainedContents;
}

/** What is trained on and what is watched. */
export interface FinetuneImages {
  readonly train: TrainingImages;
  readonly val: LabelledImages;
  readonly validatedOn: Split;
  /** The store with the validated images alone of their split. */
  readonly unseen: Store;
  /** Validation images that are not among `val`, for files of the same content are trained on. */
  readonly leftOut: number;
}

const ofSplit = async (store: Store, split: Split): Promise<StoredSample[]> =>
  Array.from(await store.samples()).filter((sample) => sample.split === split);

/** The images of a store under the labels that count. Throws FIT_INVALID where there are none of either kind. */
export async function finetuneImages(store: Store): Promise<FinetuneImages> {
  const validatedOn = await validationSplit(store);
  const samples = await ofSplit(store, 'train');
  const { classes, indices } = encodeLabels(samples.map(({ label }) => label));
  const contents = await contentsOfTrain(store);
  const { store: unseen, seen } = await unseenImages(store, validatedOn, contents);
  const validated = await ofSplit(unseen, validatedOn);
  requireUnseen(store.path, validatedOn, validated.length);
  return {
    train: { samples, truth: indices, classes, contents },
    val: { samples: validated, truth: Int32Array.from(validated, ({ label }) => classes.indexOf(label)) },
    validatedOn,
    unseen,
    leftOut: seen,
  };
}

/**
 * A stratified fifth of the training images, and the rest: copies of one picture are on one side, and a class with one
 * content is trained on alone. Throws FIT_INVALID where nothing can be held out.
 */
export function heldOutFifth({ samples }: TrainingImages, seed: number): TrainVal {
  const [first] = trainingFolds(
    samples.map(({ label }) => label),
    { keys: samples.map(({ path }) => path), groups: samples.map(({ sha256 }) => sha256), seed },
  );
  if (first !== undefined) return { ...first, val: [...first.val].sort((a, b) => a - b) };
  throw new PermafrostError(
    'FIT_INVALID',
    'finetune: no training image can be held out to choose rate and epochs by: each class has one image, or copies of one. Add images, or take --recipe report-2020, which chooses nothing.',
  );
}

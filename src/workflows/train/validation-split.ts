import { PermafrostError } from '../../core/errors.ts';
import { plural } from '../../core/words.ts';
import type { Failure, Split } from '../../core/sample.ts';
import type { Store } from '../../store/open.ts';

const failedText = (failures: readonly Failure[]): string =>
  `${plural(failures.length, 'image')} failed in the last extraction (failures.csv in the store says why), such as ${JSON.stringify(failures[0]!.path)}: mend them and extract again.`;

/** At most two of the classes that a store has training images of. */
async function classesOfTrain(store: Store): Promise<string[]> {
  const classes = new Set<string>();
  for (const { split, label } of await store.samples()) {
    if (split === 'train') classes.add(label);
    if (classes.size > 1) break;
  }
  return [...classes];
}

/**
 * The split that heads are validated on: `val` where there is one, else `test`. Throws FIT_INVALID where there is
 * nothing to train or validate on, and says what failed.
 */
export async function validationSplit(store: Store): Promise<Split> {
  const { train, val, test } = await store.counts();
  const { failures } = store.manifest.dataset;
  if (train > 0 && val + test > 0) {
    const classes = await classesOfTrain(store);
    if (classes.length > 1) return val > 0 ? 'val' : 'test';
    throw new PermafrostError(
      'FIT_INVALID',
      `${store.path} has training images of one class alone, ${JSON.stringify(classes[0])}, and heads need two or more. ${failures.length > 0 ? failedText(failures) : 'Add images of another class and extract again.'}`,
    );
  }
  const failed =
    failures.length > 0
      ? failedText(failures)
      : train > 0
        ? 'A class needs two different images before one can be held out: add images and extract again.'
        : 'Look with "permafrost inspect".';
  const lacks = train > 0 ? 'validation' : 'training';
  throw new PermafrostError(
    'FIT_INVALID',
    `${store.path} has ${plural(train, 'training image')} with features and ${plural(val + test, 'validation image')}: no ${lacks} image, so no head can be trained and judged. ${failed}`,
  );
}

/** Throws FIT_INVALID where `unseen`, the images of `split` that are not trained on under another path, is 0. */
export function requireUnseen(store: string, split: Split, unseen: number): void {
  if (unseen > 0) return;
  throw new PermafrostError(
    'FIT_INVALID',
    `Every ${split} image of ${store} has a file of the same content in train, so nothing is left to validate on. Take the copies out of train or of ${split}, and extract again.`,
  );
}

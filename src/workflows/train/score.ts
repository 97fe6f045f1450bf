import type { Split } from '../../core/sample.ts';
import * as metrics from '../../classify/evaluate/metrics.ts';
import type { Tally } from '../../classify/evaluate/tally.ts';
import { normalizedRows } from '../../classify/normalize.ts';
import type { HeadResult, SplitScore } from '../../results/head-result.ts';
import { present, type OrReason } from '../../results/or-reason.ts';
import type { LooksCount } from '../../store/format/validation-looks.ts';
import type { Store } from '../../store/open.ts';
import type { Work } from '../work.ts';
import { tallyRows } from './train-head.ts';
import type { TrainedHead } from './trained-head.ts';
import { contentsOfTrain, unseenImages } from './trained-on.ts';
import { watched } from './watched-rows.ts';

/**
 * A head that was trained on the store's training images, scored on the images of `split` that it was not trained on;
 * a reason where there are none. Read in a stream. Throws what reading throws, INTERRUPTED.
 */
async function scoreOn(
  trained: Pick<TrainedHead, 'head' | 'normalizer' | 'parts'>,
  store: Store,
  split: Split,
  work: Work = {},
): Promise<OrReason<SplitScore>> {
  const { [split]: all } = await store.counts();
  if (all === 0) return { missing: `The store has no ${split} image with features.` };
  const { store: unseen, seen } = await unseenImages(store, split, await contentsOfTrain(store));
  if (seen === all)
    return {
      missing: `Every ${split} image has a file of the same content in train, so there is nothing to score on. Take the copies out of train or of ${split}.`,
    };
  const answers = await answersOn(trained, unseen, split, work);
  const { truth, guess, classes } = answers;
  const confusion = metrics.confusionMatrix(truth, guess, classes.length);
  return {
    split,
    images: truth.length,
    leftOut: seen,
    accuracy: metrics.accuracy(truth, guess),
    interval: metrics.wilsonInterval(metrics.hits(truth, guess), truth.length),
    balancedAccuracy: metrics.balancedAccuracy(metrics.classScores(confusion, classes.length)),
    logLoss: answers.logLoss(),
    unlearned: classes.slice(trained.head.classes.length),
  };
}

/**
 * What is told of the chosen head beside its figures: those on the test images, where heads are validated on others;
 * and its accuracy had it been scored on the images that were left out too.
 */
export async function scoresOfBest(
  trained: TrainedHead,
  store: Store,
  count: LooksCount,
  work: Work = {},
): Promise<Pick<HeadResult, 'test' | 'accuracyWithLeftOut'>> {
  const { validatedOn, leftOut = 0 } = trained.result;
  const { test } = await store.counts();
  return {
    ...(leftOut > 0 && { accuracyWithLeftOut: await accuracyOn(trained, store, validatedOn, work) }),
    ...(test > 0 &&
      validatedOn !== 'test' && { test: await scoreOnTest(trained, store, { count, command: 'run' }, work) }),
  };
}

/** A head's score on the test images, which counts as a look at them; a reason where none can be scored. */
export async function scoreOnTest(
  trained: TrainedHead,
  store: Store,
  { count, command }: { readonly count: LooksCount; readonly command: string },
  work: Work = {},
): Promise<OrReason<SplitScore>> {
  if (trained.result.validatedOn === 'test')
    return { missing: 'There are no val images, so the figures above are those of the test images already.' };
  const score = await scoreOn(trained, store, 'test', work);
  if (!present(score)) return score;
  const looks = await count.add(command, 'test', 1);
  return { ...score, ...(looks && { looks }) };
}

/** Share of right answers on all images of a split, those included that the head was trained on. */
async function accuracyOn(trained: TrainedHead, store: Store, split: Split, work: Work): Promise<number> {
  const { truth, guess } = await answersOn(trained, store, split, work);
  return metrics.accuracy(truth, guess);
}

async function answersOn(
  { head, normalizer, parts }: Pick<TrainedHead, 'head' | 'normalizer' | 'parts'>,
  store: Store,
  split: Split,
  work: Work,
): Promise<Tally> {
  const stored = await store.rows({ parts, splits: [split], memory: 'blocks' });
  const [rows] = watched([stored], () => `scoring on ${split}`, work);
  return tallyRows(head, normalizedRows(normalizer, rows!), stored, 0);
}

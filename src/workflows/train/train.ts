import { resolveOptions } from '../../core/options.ts';
import type { HeadResult } from '../../results/head-result.ts';
import type { HeadOptions } from '../../classify/heads/index.ts';
import { openStore } from '../../store/open.ts';
import { openLooks } from '../../store/format/validation-looks.ts';
import { madeOfMaps } from '../../store/read/stored-parts.ts';
import { chosenFeatures } from '../network/cuts.ts';
import type { Work } from '../work.ts';
import { keepAnswers } from './answers/keep-answers.ts';
import { keepHead } from './files/head-files.ts';
import { storeThrough } from './files/store-through.ts';
import { labelledStore, requireViews } from './labelled-store.ts';
import { memoryBound } from '../memory.ts';
import { TRAIN_OPTIONS, type TrainOptions } from './options.ts';
import { scoreOnTest } from './score.ts';
import { headsMeasured } from './views-effect.ts';
import { trainWithin } from './within.ts';

/**
 * Trains one head on a store's features, under its labels or a list's, measures it and writes it to a file. Its
 * answers to every image are kept beside it. Loads no network and changes nothing else, but for counting the look at
 * the validation images. Throws OPTION_INVALID,
 * FIT_INVALID, what labelledStore throws, STORE_WRITE.
 */
export async function train(
  storePath: string,
  given: Partial<TrainOptions> = {},
  headOptions: HeadOptions = {},
  work: Work = {},
): Promise<HeadResult> {
  const options = resolveOptions('train', TRAIN_OPTIONS, given);
  const { head, labels, backboneFile, pooling, cut, normalize, views, pca, memory, scoreTest, probeImages, out } =
    options;
  const plan = { head, options: headOptions, normalize, pca };
  const features = chosenFeatures(cut, pooling);
  const bound = memoryBound(memory, work);
  const opened = await storeThrough(await openStore(storePath), backboneFile);
  const { store, relabelled, joinedTrain } = await labelledStore(opened, labels, work);
  if (views > 0) requireViews(labels, joinedTrain);
  for (const note of madeOfMaps(store.parts(features))) work.listener?.note?.(note);
  const request = { owner: 'train', store, features, views, bound };
  const count = await openLooks(store.path, work.listener);
  const trained = {
    ...(await trainWithin(plan, request, { reject: options.reject, answers: true }, work)),
    relabelled,
  };
  const test = scoreTest ? await scoreOnTest(trained, store, { count, command: 'train' }, work) : undefined;
  const looks = await count.add('train', trained.result.validatedOn, headsMeasured(trained));
  const kept = await keepHead(store, trained, { out, probeImages }, work);
  const splits = [trained.result.validatedOn, ...(scoreTest ? (['test'] as const) : [])];
  const answers = await keepAnswers(kept.file, { trained, store, splits }, work);
  return {
    ...trained.result,
    ...(test && { test }),
    ...(looks && { looks }),
    ...(labels !== '' && { relabelled: relabelled.length }),
    ...kept,
    answers,
  };
}

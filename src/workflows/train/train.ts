import { resolve } from 'node:path';
import { resolveOptions } from '../../core/options.ts';
import type { HeadResult } from '../../results/head-result.ts';
import type { HeadOptions } from '../../classify/heads/index.ts';
import { readManifest } from '../../store/format/manifest.ts';
import { storedParts, type StoredPart } from '../../store/read/parts.ts';
import { parseCuts, partsOf } from '../network/cuts.ts';
import type { Work } from '../work.ts';
import { defaultHeadFile, saveHead } from './head-files.ts';
import { labelledSamples, requireViews } from './labelled-samples.ts';
import { memoryBound } from '../memory.ts';
import { TRAIN_OPTIONS, type TrainOptions } from './options.ts';
import { trainWithin } from './within.ts';

/**
 * Trains one head on a store's features, under its labels or those of a list, measures it on the validation images and
 * writes it to a file. Loads no network and changes nothing that the store holds. Throws OPTION_INVALID, FIT_INVALID,
 * what labelledSamples throws, STORE_WRITE.
 */
export async function train(
  storePath: string,
  given: Partial<TrainOptions> = {},
  headOptions: HeadOptions = {},
  work: Work = {},
): Promise<HeadResult> {
  const options = resolveOptions('train', TRAIN_OPTIONS, given);
  const { head, labels, pooling, cut, normalize, views, pca, memory, out } = options;
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const plan = { head, options: headOptions, normalize, pca };
  const features = cut === '' ? pooling : partsOf(parseCuts(cut, [pooling]));
  const bound = memoryBound(memory);
  // Where no list is given the images are not listed either: a million of them take 0.3 GB.
  const listed = labels === '' ? undefined : await labelledSamples(store, manifest, labels, work);
  const { samples, relabelled = [], joinedTrain = 0 } = listed ?? {};
  if (views > 0) requireViews(labels, joinedTrain);
  const request = { owner: 'train', store, manifest, samples, features, views, bound };
  const trained = { ...(await trainWithin(plan, request, options.reject, work)), relabelled };
  const file = out === '' ? defaultHeadFile(store, trained) : resolve(out);
  const [{ set }] = storedParts(store, manifest, trained.parts) as [StoredPart];
  await saveHead(file, trained, set, store);
  return { ...trained.result, ...(labels !== '' && { relabelled: relabelled.length }), file };
}

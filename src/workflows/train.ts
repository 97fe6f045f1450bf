import { resolve } from 'node:path';
import { resolveOptions } from '../core/options.ts';
import type { HeadResult } from '../core/results.ts';
import type { HeadOptions } from '../classify/heads/index.ts';
import { readManifest } from '../store/manifest.ts';
import { currentSet } from '../store/reader.ts';
import { defaultHeadFile, trainHead, trainingData } from './evaluate.ts';
import type { Work } from './extract.ts';
import { saveHead } from './head-files.ts';
import { withReject } from './reject.ts';
import { TRAIN_OPTIONS, type TrainOptions } from './train-options.ts';

/** Trains one head on a store's features, measures it on the validation images and writes it to a file. Loads no network. */
export async function train(
  storePath: string,
  given: Partial<TrainOptions> = {},
  headOptions: HeadOptions = {},
  work: Work = {},
): Promise<HeadResult> {
  const { head, pooling, normalize, reject, pca, out } = resolveOptions('train', TRAIN_OPTIONS, given);
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const data = await trainingData(store, manifest, pooling);
  const plan = { head, options: headOptions, normalize, pca };
  const fitted = await trainHead(plan, data, work.signal);
  const trained = await withReject(fitted, plan, data, reject, work);
  const file = out === '' ? defaultHeadFile(store, trained.result) : resolve(out);
  await saveHead(file, trained, currentSet(store, manifest), store);
  return { ...trained.result, file };
}

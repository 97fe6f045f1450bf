import { resolve } from 'node:path';
import { resolveOptions } from '../core/options.ts';
import type { HeadResult } from '../core/results.ts';
import type { HeadOptions } from '../classify/heads/index.ts';
import { readManifest } from '../store/manifest.ts';
import { currentSet } from '../store/parts.ts';
import { defaultHeadFile, trainHead, trainingData, type TrainedHead } from './evaluate.ts';
import type { Work } from './extract.ts';
import { saveHead } from './head-files.ts';
import { memoryBound } from './memory.ts';
import { withReject } from './reject.ts';
import { reasonToStream, trainStreamed, type StreamedPlan } from './train-streamed.ts';
import { TRAIN_OPTIONS, type TrainOptions } from './train-options.ts';

/** In memory where there is room for the features, else in streams, which is said. */
async function trainWithin(plan: StreamedPlan, reject: number, work: Work): Promise<TrainedHead> {
  const reason = await reasonToStream(plan);
  if (reason === undefined) {
    const data = await trainingData(plan.store, plan.manifest, plan.pooling);
    return withReject(await trainHead(plan, data, work.signal), plan, data, reject, work);
  }
  work.listener?.note?.(`The features are read in streams: ${reason}.`);
  const trained = await trainStreamed(plan, work);
  if (reject === 0) return trained;
  const problem = 'that is not calibrated on features that are read in streams';
  return { ...trained, result: { ...trained.result, reject: { rate: reject, rule: null, problem } } };
}

/** Trains one head on a store's features, measures it on the validation images and writes it to a file. Loads no network. */
export async function train(
  storePath: string,
  given: Partial<TrainOptions> = {},
  headOptions: HeadOptions = {},
  work: Work = {},
): Promise<HeadResult> {
  const { head, pooling, normalize, memory, reject, pca, out } = resolveOptions(
    'train',
    TRAIN_OPTIONS,
    given,
  );
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const plan = { head, options: headOptions, normalize, pca };
  const from = { store, manifest, pooling, bound: memoryBound(memory) };
  const trained = await trainWithin({ ...plan, ...from }, reject, work);
  const file = out === '' ? defaultHeadFile(store, trained.result) : resolve(out);
  await saveHead(file, trained, currentSet(store, manifest), store);
  return { ...trained.result, file };
}

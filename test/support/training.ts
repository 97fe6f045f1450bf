import type { Matrix } from '../../src/core/matrix.ts';
import { matrixRows } from '../../src/core/rows.ts';
import type { StoredSample } from '../../src/store/format/shard.ts';
import type { HeadPart } from '../../src/store/read/head-file.ts';
import {
  trainingData,
  type SplitRows,
  type TrainingData,
  type TrainingRequest,
} from '../../src/workflows/train/data.ts';

/** Features of samples in memory, as a store gives them. */
export const rowsInMemory = (X: Matrix, samples: readonly StoredSample[]): SplitRows => ({
  ...matrixRows(X),
  labels: samples.map(({ label }) => label),
  places: Int32Array.from(samples.keys()),
  views: [],
  digest: '',
  memory: 0,
  samplesOf: (places) => Promise.resolve(new Map(Array.from(places, (place) => [place, samples[place]!]))),
});

/** Training data of average-pooled features. */
export const trainingOn = (train: SplitRows, val: SplitRows, parts: readonly HeadPart[]): TrainingData => ({
  owner: 'train',
  bound: undefined,
  pooling: 'avg',
  parts,
  train,
  val,
  validatedOn: 'val',
  reason: undefined,
});

/** The features of a request in blocks, whatever the memory. */
export const dataInBlocks = async (request: Omit<TrainingRequest, 'bound'>): Promise<TrainingData> => ({
  ...(await trainingData({ ...request, bound: 0 })),
  bound: undefined,
});

import { selectRows, type Matrix } from '../../src/core/matrix.ts';
import { matrixRows } from '../../src/core/rows.ts';
import type { StoredSample } from '../../src/store/format/shard.ts';
import type { HeadPart } from '../../src/store/read/heads/head-file.ts';
import type { StoredRows } from '../../src/store/read/rows.ts';
import { trainingData, type TrainingData, type TrainingRequest } from '../../src/workflows/train/data.ts';

/** Features of samples in memory, as a store gives them. */
export const rowsInMemory = (X: Matrix, samples: readonly StoredSample[]): StoredRows => ({
  ...matrixRows(X),
  parts: [],
  reason: undefined,
  labels: samples.map(({ label }) => label),
  places: Int32Array.from(samples.keys()),
  views: [],
  digest: '',
  peakBytes: 0,
  openBytes: 0,
  pick: (rows, out) => Promise.resolve(out.set(selectRows(X, rows).data)),
  samplesOf: (places) => Promise.resolve(new Map(Array.from(places, (place) => [place, samples[place]!]))),
});

/** Training data of average-pooled features. */
export const trainingOn = (train: StoredRows, val: StoredRows, parts: readonly HeadPart[]): TrainingData => ({
  owner: 'train',
  bound: Infinity,
  pooling: 'avg',
  parts,
  train,
  val,
  validatedOn: 'val',
  leftOut: 0,
});

/** The features of a request in blocks, whatever the memory. */
export const dataInBlocks = async (request: Omit<TrainingRequest, 'bound'>): Promise<TrainingData> => ({
  ...(await trainingData({ ...request, bound: 0 })),
  bound: Infinity,
});

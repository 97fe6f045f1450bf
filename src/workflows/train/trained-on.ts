import type { Split } from '../../core/sample.ts';
import type { Store } from '../../store/open.ts';
import { trainedContents, type TrainedContents } from '../../store/read/heads/trained-contents.ts';
import type { StoredSample } from '../../store/format/shard.ts';

/** The contents of a store's training images, under the splits that count. */
export async function contentsOfTrain(store: Store): Promise<TrainedContents> {
  const samples = await store.samples();
  const digests = function* () {
    for (const { split, sha256 } of samples) if (split === 'train') yield sha256;
  };
  return trainedContents(digests());
}

/** The images of a split that a head may be scored on, and how many it was trained on. */
export interface UnseenImages {
  /** Of that split it has those images alone which the head was not trained on; it may lack those of others. */
  readonly store: Store;
  /** Images of the split whose content the head was trained on. */
  readonly seen: number;
}

/** Whether an image of a split is one that a head was trained on, under whatever path. */
const isSeen = (sample: StoredSample, split: Split, trainedOn: TrainedContents): boolean =>
  sample.split === split && trainedOn.has(sample.sha256);

/** The images of `split` that a head was not trained on. They are listed in memory only where there are others. */
export async function unseenImages(store: Store, split: Split, trainedOn: TrainedContents): Promise<UnseenImages> {
  let seen = 0;
  for (const sample of await store.samples()) seen += Number(isSeen(sample, split, trainedOn));
  if (seen === 0) return { store, seen };
  const left: StoredSample[] = [];
  for (const sample of await store.samples())
    if (sample.split === split && !isSeen(sample, split, trainedOn)) left.push(sample);
  return { store: store.withSamples(left), seen };
}

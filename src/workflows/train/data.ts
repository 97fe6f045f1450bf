import type { FeaturePart, PoolingChoice, Split } from '../../core/sample.ts';
import type { Store } from '../../store/open.ts';
import type { HeadPart } from '../../store/read/heads/head-file.ts';
import type { StoredRows } from '../../store/read/rows.ts';
import { storedNetworks } from '../../store/read/stored-networks.ts';
import { partsText } from '../../store/read/stored-parts.ts';
import { BASE_BYTES } from '../memory.ts';
import { headOf, type TrainingPlan } from './plan.ts';
import { contentsOfTrain, unseenImages } from './trained-on.ts';
import { requireUnseen, validationSplit } from './validation-split.ts';

/** What of a store is trained on, and within how much memory. */
export interface TrainingRequest {
  /** The command, for messages. */
  readonly owner: string;
  /** The images, under the labels that count. */
  readonly store: Store;
  /** Poolings of the primary set, or parts side by side. */
  readonly features: PoolingChoice | readonly FeaturePart[];
  /** Stored views of each training image to train on too. */
  readonly views: number;
  /** Bytes that the process may take. */
  readonly bound: number;
}

/** Features to train on and to validate on. */
export interface TrainingData extends Pick<TrainingRequest, 'owner' | 'bound'> {
  /** What they are, in words; see HeadResult. */
  readonly pooling: string;
  /** Of a store with several networks: whose features they are, as `a + b` those of both side by side. */
  readonly backbone?: string;
  /** What stands side by side in them. */
  readonly parts: readonly HeadPart[];
  readonly train: StoredRows;
  readonly val: StoredRows;
  readonly validatedOn: Split;
  /** Images of that split that are not in `val`, for files of the same content are trained on. */
  readonly leftOut: number;
}

/**
 * Features to train and validate on: in memory where they fit, stored and normalised, with what fitting any of `plans`
 * takes; else in blocks. Throws STORE_EMPTY, FIT_INVALID, and OPTION_INVALID where the store has no such part.
 */
export async function trainingData(
  request: TrainingRequest,
  plans: readonly TrainingPlan[] = [],
): Promise<TrainingData> {
  const { owner, store, features, views, bound } = request;
  const stored = store.parts(features);
  const parts = stored.map(({ cut, pooling, width }) => ({ cut, pooling, width }));
  const [primary, ...others] = storedNetworks(store);
  const backbone = others.length > 0 ? [...new Set(stored.map(({ network }) => network))].join(' + ') : undefined;
  const counts = await store.counts();
  const validatedOn = await validationSplit(store);
  const cols = parts.reduce((sum, { width }) => sum + width, 0);
  const shape = { rows: counts.train * (1 + views), cols, inMemory: true };
  const fitBytes = Math.max(0, ...plans.map((plan) => headOf(plan).bytesOf?.(shape) ?? 0));
  const train = await store.rows({
    parts,
    splits: ['train'],
    views,
    memory: {
      bound,
      otherBytes: BASE_BYTES + fitBytes + 2 * 4 * cols * counts[validatedOn],
      // As they are stored, and normalised; with views once more, below each other.
      copies: views > 0 ? 3 : 2,
    },
  });
  const { store: unseen, seen } = await unseenImages(store, validatedOn, await contentsOfTrain(store));
  requireUnseen(store.path, validatedOn, counts[validatedOn] - seen);
  const val = await unseen.rows({
    parts,
    splits: [validatedOn],
    memory: train.matrix === undefined ? 'blocks' : { bound: Infinity },
  });
  return {
    owner,
    bound,
    parts,
    pooling: partsText(primary.sets[0].name, parts),
    ...(backbone !== undefined && { backbone }),
    train,
    val,
    validatedOn,
    leftOut: seen,
  };
}

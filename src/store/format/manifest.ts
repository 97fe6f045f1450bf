import * as z from 'zod';
import { contractSchema } from '../../core/contract-schema.ts';
import { ERROR_CODES } from '../../core/errors.ts';
import { POOLINGS, type Pooling } from '../../core/sample.ts';
import { DTYPES } from './fingerprint.ts';

/** The version that is written, but of stores all of whose shards are older and hold labels. */
export const STORE_VERSION = 5;
/** Of those; of those with features of tuned networks; and of graphs, or of several networks of one data set. */
const [LABELLED_VERSION, TUNED_VERSION, GRAPH_VERSION] = [2, 3, 4];
/** The versions that are read; docs/store-format.md says what each may hold. */
export const READ_VERSIONS: readonly unknown[] = [1, LABELLED_VERSION, TUNED_VERSION, GRAPH_VERSION, STORE_VERSION];
export const MANIFEST_NAME = 'manifest.json';
/** The same bytes once more, of a store with a data set: by it a damaged manifest is repaired. */
export const MANIFEST_COPY_NAME = 'manifest-copy.json';
/** The folder of a store in which plans for several machines lie, each with its finished units. */
export const PARTS_FOLDER = 'parts';
export const FORMAT = 'permafrost-store';

const count = z.number().int().nonnegative();
/** Numbers an image; one array holds no more. */
const width = count.max(2 ** 30);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** The settings of a set of features, as they stand in manifests and head files (fingerprint.ts). */
export const settingsSchema = z.strictObject({
  backbone: z.string(),
  weights: digest,
  cut: z.string(),
  contract: contractSchema,
  dtype: z.enum(DTYPES),
  engineClass: z.string(),
  calibration: digest.optional(),
  view: z
    .strictObject({
      recipe: z.string(),
      seed: count,
      plan: z.record(z.string(), z.union([z.number(), z.boolean()])),
      number: z.number().int().positive(),
    })
    .optional(),
  tail: z.strictObject({ from: z.string(), maps: z.enum(DTYPES), engineClass: z.string() }).optional(),
  graph: z.strictObject({ layout: z.enum(['NCHW', 'NHWC']), prefix: count.exactOptional() }).optional(),
});

// A name inside the store, never a way out of it, nor the manifest's own.
const fileName = z.string().regex(/^[\w-][\w.-]*\.arrow$/);
/** What is read at once. */
const MOST_FILE_BYTES = 2 ** 32;
const fileSchema = z.strictObject({ name: fileName, bytes: count.max(MOST_FILE_BYTES), sha256: digest });

const cosine = z.number().min(-1).max(1.000001);

/** What the features of an int8 set rest on: the calibration, and how near to float32 they were found to be. */
const quantizationSchema = z.strictObject({
  calibration: z.strictObject({
    name: z.string().regex(/^calibration-[0-9a-f]{16}\.json$/),
    bytes: count,
    sha256: digest,
  }),
  cosine: z.strictObject({ images: count, min: cosine, mean: cosine }),
});

/** Of the features of a tuned network: the digest of the weights that it began with, and the layers that it changed. */
const tunedSchema = z.strictObject({
  base: digest,
  layers: z.strictObject({
    name: z.string().regex(/^layers-[0-9a-f]{16}\.safetensors$/),
    bytes: count,
    sha256: digest,
  }),
});

export const shardSchema = z.strictObject({
  rows: count,
  /** The version of the decoder that its images were read with; absent: 1. */
  decoder: z.number().int().positive().exactOptional(),
  /** The columns of its files (shard-columns.ts); absent: 1, with labels and splits as they were then. */
  layout: z.literal(2).exactOptional(),
  /** What its rows are alone; then the same with the features, a file for each pooling of the shard. */
  files: z.strictObject({
    rows: fileSchema,
    flatten: fileSchema.exactOptional(),
    avg: fileSchema.exactOptional(),
    max: fileSchema.exactOptional(),
    gem: fileSchema.exactOptional(),
    cls: fileSchema.exactOptional(),
  }),
});

export const setSchema = z.strictObject({
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  settings: settingsSchema,
  engine: z.strictObject({ name: z.string(), device: z.string(), precision: z.string(), version: z.string() }),
  /** Of graphs alone: what the network is called, and where its file was last. The weights' digest names it. */
  network: z.strictObject({ name: z.string(), file: z.string() }).optional(),
  /** Numbers an image; in the poolings gem and cls as many as in avg. */
  widths: z.strictObject({ flatten: width, avg: width, max: width }),
  /** Of int8 sets alone. */
  quantization: quantizationSchema.optional(),
  /** Of sets of tuned networks alone. */
  tuned: tunedSchema.optional(),
  shards: z.array(shardSchema),
});

const coveringSchema = z.strictObject({ fingerprint: z.string(), poolings: z.array(z.enum(POOLINGS)).min(1) });

/** The data set that was extracted last. */
const datasetSchema = z.strictObject({
  root: z.string(),
  /** The sets that hold every one of its images, with the poolings in which they do; the first is the primary one. */
  sets: z.array(coveringSchema),
  /** The sets of view 1, of view 2 ...: they hold every training image; absent where there are no views. */
  views: z.array(z.array(coveringSchema)).exactOptional(),
  /** Sets of tuned networks that hold every one of its images too; a command takes one where it is asked to. */
  tuned: z.array(coveringSchema).exactOptional(),
  /** Other networks whose sets hold every one of its images too, with their views; the one extracted last first. */
  others: z
    .array(
      z.strictObject({ sets: z.array(coveringSchema).min(1), views: z.array(z.array(coveringSchema)).exactOptional() }),
    )
    .min(1)
    .exactOptional(),
  /** The file that lists its images; absent until an extraction was completed. */
  samples: fileSchema.optional(),
  failures: z.array(z.strictObject({ path: z.string(), code: z.enum(ERROR_CODES), reason: z.string() })),
});

export const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal([LABELLED_VERSION, TUNED_VERSION, GRAPH_VERSION, STORE_VERSION]),
  permafrost: z.string(),
  dataset: datasetSchema,
  sets: z.array(setSchema),
});

/** Version 1 knew one set a data set, and three poolings in every shard. */
export const manifestSchema1 = manifestSchema.extend({
  version: z.literal(1),
  dataset: datasetSchema
    .omit({ sets: true, views: true, tuned: true, others: true })
    .extend({ fingerprint: z.string() }),
  sets: z.array(
    setSchema.extend({
      shards: z.array(
        shardSchema.extend({ files: shardSchema.shape.files.required({ flatten: true, avg: true, max: true }) }),
      ),
    }),
  ),
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** A manifest that a writer changes before it writes it. */
export type ManifestDraft = Omit<z.infer<typeof manifestSchema>, 'version'> & { version: number };
/** A store's manifest, in the words of the newest version; `version` is that of the file. */
export type Manifest = DeepReadonly<ManifestDraft>;
export type FeatureSetDraft = z.infer<typeof setSchema>;
export type FeatureSet = DeepReadonly<FeatureSetDraft>;
export type ShardEntry = DeepReadonly<z.infer<typeof shardSchema>>;
export type FileEntry = DeepReadonly<z.infer<typeof fileSchema>>;

/** The folder of a store and what its manifest says. */
export interface StoreFolder {
  readonly path: string;
  readonly manifest: Manifest;
}

/** A store that is written to. */
export interface StoreDraft extends StoreFolder {
  readonly manifest: ManifestDraft;
}

/** A set that covers the data set, and in which poolings. */
export type CoveringSet = DeepReadonly<z.infer<typeof coveringSchema>>;

/** The sets of one network that cover the data set, and those of its views. */
export interface CoveringNetwork {
  readonly sets: readonly CoveringSet[];
  readonly views?: readonly (readonly CoveringSet[])[];
}

/** The manifest of a store without a data set. */
export const newManifest = (permafrost: string, sets: FeatureSetDraft[] = []): ManifestDraft => ({
  format: FORMAT,
  version: STORE_VERSION,
  permafrost,
  dataset: { root: '', sets: [], failures: [] },
  sets,
});

/** The files without which no new image could ever join a set: calibration and changed layers. */
export const restingOn = ({ quantization, tuned }: FeatureSet): readonly FileEntry[] => [
  ...(quantization === undefined ? [] : [quantization.calibration]),
  ...(tuned === undefined ? [] : [tuned.layers]),
];

/** Rows of all shards of a set. */
export const rowsOf = ({ shards }: FeatureSet): number => shards.reduce((sum, { rows }) => sum + rows, 0);

/** The version of the decoder that a shard's images were read with. */
export const decoderOf = ({ decoder = 1 }: ShardEntry): number => decoder;

/** The shards of a set as they are read: of a content that several hold, that of the newest decoder comes first. */
export const newestFirst = ({ shards }: FeatureSet): readonly ShardEntry[] =>
  shards.toSorted((a, b) => decoderOf(b) - decoderOf(a));

/** Every set that covers the data set, those of its views, of tuned and of other networks included. */
export const coveringSets = ({ dataset }: Pick<Manifest, 'dataset'>): readonly CoveringSet[] => [
  ...[dataset, ...(dataset.others ?? [])].flatMap(({ sets, views = [] }) => [...sets, ...views.flat()]),
  ...(dataset.tuned ?? []),
];

/** Whether a shard's files hold labels and splits, as they were when it was written. */
export const isLabelled = ({ layout }: ShardEntry): boolean => layout === undefined;

/** The version that a store of these sets and this data set is written in. */
export function versionFor({ sets, dataset }: Pick<Manifest, 'sets' | 'dataset'>): number {
  const shards = sets.flatMap((set) => set.shards);
  if (!shards.every(isLabelled) || shards.length === 0) return STORE_VERSION;
  if (dataset.others !== undefined || sets.some(({ settings }) => settings.graph !== undefined)) return GRAPH_VERSION;
  return sets.some(({ tuned }) => tuned !== undefined) ? TUNED_VERSION : LABELLED_VERSION;
}

/** The poolings that a shard holds. */
export const poolingsOf = ({ files }: ShardEntry): readonly Pooling[] =>
  POOLINGS.filter((pooling) => files[pooling] !== undefined);

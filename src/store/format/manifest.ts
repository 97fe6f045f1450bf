import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { ERROR_CODES, PermafrostError, reasonOf } from '../../core/errors.ts';
import { DEFAULT_POOLINGS, POOLINGS, type Pooling } from '../../core/sample.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { DTYPES, fingerprintOf } from './fingerprint.ts';
import { sealJson, unseal } from './sealed-json.ts';

/** The version that is written, of stores without features of tuned networks. */
export const STORE_VERSION = 2;
/** The version that is written where there are some. */
const TUNED_VERSION = 3;
/** The versions that are read; docs/store-format.md says what each may hold. */
const READ_VERSIONS: readonly unknown[] = [1, STORE_VERSION, TUNED_VERSION];
export const MANIFEST_NAME = 'manifest.json';
const FORMAT = 'permafrost-store';

const count = z.number().int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const contractSchema = z.strictObject({
  name: z.string(),
  size: z.number().int().positive(),
  geometry: z.enum(['squash', 'cover-crop']),
  kernel: z.enum(['nearest', 'bilinear', 'bicubic', 'lanczos']),
  orientation: z.enum(['exif', 'ignore']),
  iccProfile: z.literal('ignore'),
  alpha: z.enum(['white', 'drop']),
  channelOrder: z.enum(['RGB', 'BGR']),
  mean: z.tuple([z.number(), z.number(), z.number()]),
  scale: z.number(),
});

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
});

// A name inside the store, never a way out of it, nor the manifest's own.
const fileName = z.string().regex(/^[\w-][\w.-]*\.arrow$/);
const fileSchema = z.strictObject({ name: fileName, bytes: count, sha256: digest });

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
  /** Paths, labels and digests alone; then the same with the features, a file for each pooling of the shard. */
  files: z.strictObject({
    rows: fileSchema,
    flatten: fileSchema.exactOptional(),
    avg: fileSchema.exactOptional(),
    max: fileSchema.exactOptional(),
    gem: fileSchema.exactOptional(),
  }),
});

export const setSchema = z.strictObject({
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  settings: settingsSchema,
  engine: z.strictObject({ name: z.string(), device: z.string(), precision: z.string(), version: z.string() }),
  /** Numbers an image; in the pooling gem as many as in avg. */
  widths: z.strictObject({ flatten: count, avg: count, max: count }),
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
  /** The file that lists its images; absent until an extraction was completed. */
  samples: fileSchema.optional(),
  failures: z.array(z.strictObject({ path: z.string(), code: z.enum(ERROR_CODES), reason: z.string() })),
});

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal([STORE_VERSION, TUNED_VERSION]),
  permafrost: z.string(),
  dataset: datasetSchema,
  sets: z.array(setSchema),
});

/** Version 1 knew one set a data set, and three poolings in every shard. */
const manifestSchema1 = manifestSchema.extend({
  version: z.literal(1),
  dataset: datasetSchema.omit({ sets: true, views: true, tuned: true }).extend({ fingerprint: z.string() }),
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

/** Every set that covers the data set, those of its views and of tuned networks included. */
export const coveringSets = ({ dataset }: Pick<Manifest, 'dataset'>): readonly CoveringSet[] => [
  ...dataset.sets,
  ...(dataset.views ?? []).flat(),
  ...(dataset.tuned ?? []),
];

/** The version that a store of these sets is written in. */
export const versionFor = ({ sets }: Pick<Manifest, 'sets'>): number =>
  sets.some(({ tuned }) => tuned !== undefined) ? TUNED_VERSION : STORE_VERSION;

/** The poolings that a shard holds. */
export const poolingsOf = ({ files }: ShardEntry): readonly Pooling[] =>
  POOLINGS.filter((pooling) => files[pooling] !== undefined);

function migratedFrom1({ dataset, ...manifest }: z.infer<typeof manifestSchema1>): ManifestDraft {
  const { fingerprint, ...rest } = dataset;
  const sets = fingerprint === '' ? [] : [{ fingerprint, poolings: [...DEFAULT_POOLINGS] }];
  return { ...manifest, dataset: { ...rest, sets } };
}

/** Reads and checks a store's manifest. Throws STORE_NOT_FOUND, STORE_CORRUPT or STORE_VERSION. */
export async function readManifest(store: string): Promise<ManifestDraft> {
  const path = join(store, MANIFEST_NAME);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const advice = 'Give a folder that "permafrost extract" or "permafrost run" made.';
    const what =
      cause.code === 'ENOENT' || cause.code === 'ENOTDIR' ? 'is not there' : `cannot be read (${reasonOf(cause)})`;
    throw new PermafrostError('STORE_NOT_FOUND', `${store} is no store: ${MANIFEST_NAME} ${what}. ${advice}`, {
      cause,
    });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, `it is no JSON (${reasonOf(cause)})`);
  }
  const { format, version } = (json ?? {}) as { readonly format?: unknown; readonly version?: unknown };
  if (format !== FORMAT) {
    throw new PermafrostError(
      'STORE_NOT_FOUND',
      `${store} is no store: its ${MANIFEST_NAME} does not say "format": "${FORMAT}". Give a folder that "permafrost extract" or "permafrost run" made.`,
    );
  }
  let document: Record<string, unknown>;
  try {
    document = unseal(json);
  } catch (cause) {
    // Every version seals its manifest: without a digest it may be of a version to come, with a wrong one it is
    // damaged.
    if (!('digest' in (json as object)) && !READ_VERSIONS.includes(version)) throw otherVersion(store, version);
    throw damaged(path, reasonOf(cause));
  }
  if (!READ_VERSIONS.includes(version)) throw otherVersion(store, version);
  const schema = version === 1 ? manifestSchema1.transform(migratedFrom1) : manifestSchema;
  const parsed = schema.safeParse(document);
  const damage = parsed.success
    ? changedSettings(parsed.data)
    : parsed.error.issues.map(({ path: field, message }) => `${field.join('.')}: ${message}`);
  if (!parsed.success || damage.length > 0) throw damaged(path, damage.slice(0, 3).join('; '));
  return parsed.data;
}

/** The manifest of a folder; undefined where it is no store. Throws STORE_CORRUPT or STORE_VERSION. */
export const findManifest = (folder: string): Promise<ManifestDraft | undefined> =>
  readManifest(folder).catch((error: unknown) => {
    if (error instanceof PermafrostError && error.code === 'STORE_NOT_FOUND') return undefined;
    throw error;
  });

function otherVersion(store: string, version: unknown): PermafrostError {
  return new PermafrostError(
    'STORE_VERSION',
    `${store} has store version ${JSON.stringify(version)}; this permafrost reads versions ${READ_VERSIONS.join(', ')}. Use the permafrost that wrote it, or extract anew.`,
  );
}

function damaged(path: string, problem: string): PermafrostError {
  return new PermafrostError(
    'STORE_CORRUPT',
    `${path} is damaged: ${problem}. "permafrost repair" makes it anew from the shards beside it.`,
  );
}

/** A set whose settings were edited is no longer what it says. */
function changedSettings({ sets }: Manifest): string[] {
  return sets.flatMap(({ fingerprint, settings }, i) =>
    fingerprint === fingerprintOf(settings)
      ? []
      : [`sets.${i}.fingerprint: ${fingerprint} is not that of its settings, ${fingerprintOf(settings)}`],
  );
}

/** Replaces the manifest at once, in the version of its sets, to which the draft is migrated. Throws STORE_WRITE. */
export async function writeManifest({ path, manifest }: StoreDraft): Promise<void> {
  const version = versionFor(manifest);
  const text = sealJson({ ...manifest, version });
  await writeFileAtomic(join(path, MANIFEST_NAME), [new TextEncoder().encode(text)]);
  manifest.version = version;
}

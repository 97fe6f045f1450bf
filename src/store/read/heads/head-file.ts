import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { calibrationDigest } from '../../../core/calibration.ts';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { readWhole } from '../../../core/files/read-file.ts';
import { readSafetensors, writeSafetensors, type SafeTensor } from '../../../core/safetensors.ts';
import { POOLINGS, SPLITS } from '../../../core/sample.ts';
import { writeOutput } from '../../format/atomic-file.ts';
import { bytesProblem, sealPath, writeSealed } from '../../format/seal-beside.ts';
import { calibrationSchema } from '../calibration-file.ts';
import { headDigest } from './head-digest.ts';
import { MANIFEST_NAME, settingsSchema } from '../../format/manifest.ts';

const json = z.record(z.string(), z.unknown());

/** What a graph was called, and where its file was last. */
const networkSchema = z.strictObject({ name: z.string(), file: z.string() });

const partSchema = z.strictObject({
  /** A layer or tensor of its network. */
  cut: z.string(),
  pooling: z.enum(POOLINGS),
  width: z.number().int().positive(),
  /** Of a part of another network than the first: its settings, and what goes with them as in the document. */
  own: z
    .strictObject({
      settings: settingsSchema,
      network: networkSchema.optional(),
      calibration: calibrationSchema.optional(),
    })
    .exactOptional(),
});

const headSchema = z.strictObject({
  format: z.literal('permafrost-head'),
  /**
   * 4: of features of graphs, or of several networks; 3: of features of tuned networks; 2: has \`others\`; else 1,
   * which every permafrost reads.
   */
  version: z.literal([1, 2, 3, 4]),
  permafrost: z.string(),
  name: z.string(),
  params: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  classes: z.array(z.string()).min(2),
  /** Settings of the training features, of the first part where there are several: other features are refused. */
  settings: settingsSchema,
  /** Of features of a graph: what it was called, and where its file was last. */
  network: networkSchema.optional(),
  /** The calibration that `settings` names, where they are int8: new images are extracted with it too. */
  calibration: calibrationSchema.optional(),
  pooling: z.enum(POOLINGS),
  /** Numbers of an image, all parts together. */
  width: z.number().int().positive(),
  /** Further parts of the features, side by side with the first, of its settings but for the cut, or of their own. */
  others: z.array(partSchema).min(1).optional(),
  /**
   * Of the last layer of a fine-tuned network, whose changed layers lie beside it as tensors `layers/...`: the digest
   * of the weights that it began with, and facts of its training. `settings` are those of the network's features.
   */
  tuned: z
    .strictObject({
      base: z.string().regex(/^[0-9a-f]{64}$/),
      recipe: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
    })
    .optional(),
  /** State of the head and of the normaliser before it, beside their tensors `head/...` and `normalizer/...`. */
  head: json,
  normalizer: json,
  /** What the head's probabilities are scaled by: softmax(ln P / temperature); absent where they are its own. */
  temperature: z.number().positive().optional(),
  /** When the head answers "unknown", beside its tensors `reject/...`; absent where it never does. */
  reject: json.optional(),
  trained: z.strictObject({
    images: z.number().int().positive(),
    /** The store, relative to the head file's folder: where its training images are looked up. */
    store: z.string(),
    /** Images that counted under another label or split than the store's (`train --labels`), as they counted. */
    relabelled: z
      .array(z.strictObject({ path: z.string(), label: z.string(), split: z.enum(SPLITS) }))
      .min(1)
      .optional(),
    /** Of a head that left its training rows in the store: the digest of rows, labels and their order. */
    rows: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    /** Views of each image that are among those rows. */
    views: z.number().int().positive().optional(),
  }),
  /** Digest of everything else in the file (head-digest.ts); the first heads had none. */
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

/** What of a head file the tensors of changed layers begin with. */
export const LAYERS_PREFIX = 'layers';

/** A fitted head on disk without its tensors. */
export type HeadDocument = Omit<z.infer<typeof headSchema>, 'format' | 'version' | 'digest'>;

/** A part of the features that a head takes, and its numbers an image. */
export type HeadPart = z.infer<typeof partSchema>;

/** All parts of the features that a head takes, in the order in which they stand side by side. */
export function headParts({ settings, pooling, width, others = [] }: HeadDocument): HeadPart[] {
  const rest = others.reduce((sum, part) => sum + part.width, 0);
  return [{ cut: settings.cut, pooling, width: width - rest }, ...others];
}

/** A network whose features a head takes. */
export interface HeadNetwork extends Pick<HeadDocument, 'settings' | 'network' | 'calibration'> {
  /** What of the head's parts it gives: their places there, and what they are. */
  readonly parts: readonly (HeadPart & { readonly at: number })[];
}

/** The networks whose features a head takes, the first part's first. */
export function headNetworks(document: HeadDocument): readonly [HeadNetwork, ...HeadNetwork[]] {
  const networks = new Map<string, { from: Omit<HeadNetwork, 'parts'>; parts: (HeadPart & { at: number })[] }>();
  for (const [at, part] of headParts(document).entries()) {
    const { settings, network, calibration } = part.own ?? document;
    const key = `${settings.backbone} ${settings.weights}`;
    const found = networks.get(key) ?? { from: { settings, network, calibration }, parts: [] };
    networks.set(key, found);
    found.parts.push({ ...part, at });
  }
  const [first, ...others] = Array.from(networks.values(), ({ from, parts }): HeadNetwork => ({ ...from, parts }));
  return [first!, ...others];
}

export type HeadTensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }
>;

/** The version of a head file: the least that can be read by whoever knows what is in it. */
function versionFor({ others, settings, tuned }: HeadDocument): number {
  if (settings.graph !== undefined || others?.some(({ own }) => own !== undefined)) return 4;
  if (tuned !== undefined || settings.tail !== undefined) return 3;
  return others === undefined ? 1 : 2;
}

/** Writes a head as a safetensors file, its document under the metadata key `permafrost`. Throws STORE_WRITE. */
export async function writeHead(path: string, document: HeadDocument, tensors: HeadTensors): Promise<void> {
  const typed = new Map<string, SafeTensor>();
  for (const [name, { shape, data }] of tensors) {
    typed.set(name, data instanceof Float32Array ? { dtype: 'F32', shape, data } : { dtype: 'I32', shape, data });
  }
  const version = versionFor(document);
  const whole = { format: 'permafrost-head', version, ...document };
  const permafrost = JSON.stringify({ ...whole, digest: headDigest(whole, tensors) });
  await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
    throw new PermafrostError('STORE_WRITE', `The folder of ${path} cannot be made: ${reasonOf(cause)}.`, { cause });
  });
  const chunks = [writeSafetensors(typed, { permafrost })];
  // A head is whole by its own digest, wherever it is carried; in a store it is also the one of its name.
  await (isInStore(path) ? writeSealed : writeOutput)(path, chunks);
}

const isInStore = (path: string): boolean => existsSync(join(dirname(path), '..', MANIFEST_NAME));

/** A head file as it is read. */
export interface ReadHead {
  readonly document: HeadDocument;
  readonly tensors: HeadTensors;
  /** SHA-256 of all that is in it (head-digest.ts). */
  readonly digest: string;
}

/** Reads a head file. Throws HEAD_CORRUPT where it is missing, damaged or something else. */
export async function readHead(path: string): Promise<ReadHead> {
  const bytes = await readWhole(path).catch((cause: unknown) => {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The head ${path} cannot be read: ${reasonOf(cause)}. Give a file that "permafrost train" wrote.`,
      { cause },
    );
  });
  const problem = await bytesProblem(path, bytes);
  if (problem !== undefined)
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${path} is not the head that was written here: ${problem}. Train it again; where you put another head there yourself, remove ${sealPath(path)}.`,
    );
  const { metadata, tensors } = readSafetensors(bytes, { name: path, code: 'HEAD_CORRUPT' });
  let document: unknown;
  try {
    document = JSON.parse(metadata.permafrost ?? '');
  } catch (cause) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${path} is no permafrost head: its metadata hold no "permafrost" document.`,
      { cause },
    );
  }
  const parsed = headSchema.safeParse(document);
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`);
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${path} is damaged or of another version: ${where.slice(0, 3).join('; ')}. Train it again.`,
    );
  }
  const { version } = parsed.data;
  if (version !== versionFor(parsed.data) || headParts(parsed.data)[0]!.width <= 0) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${path} is of version ${version} and its parts are not those of such a head. Train it again.`,
    );
  }
  const made = [parsed.data, ...headParts(parsed.data).flatMap(({ own }) => own ?? [])];
  if (made.some(({ settings, calibration: by }) => settings.calibration !== (by && calibrationDigest(by)))) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${path} does not hold the calibration that its features were made with. Train it again.`,
    );
  }
  const numeric = new Map<string, { shape: readonly number[]; data: Float32Array | Int32Array }>();
  for (const [name, { dtype, shape, data }] of tensors) {
    if (dtype !== 'F32' && dtype !== 'I32')
      throw new PermafrostError('HEAD_CORRUPT', `${path}: tensor ${name} is ${dtype}, not F32 or I32.`);
    numeric.set(name, { shape, data });
  }
  const { digest: written, ...whole } = parsed.data;
  const digest = headDigest(whole, numeric);
  if (written !== undefined && written !== digest) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${path} is damaged: its digest is not that of its content. Train it again.`,
    );
  }
  return { document: whole, tensors: numeric, digest };
}

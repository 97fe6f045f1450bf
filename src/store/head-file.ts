import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { calibrationDigest } from '../core/calibration.ts';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import { readSafetensors, writeSafetensors, type Tensor } from '../core/safetensors.ts';
import { POOLINGS } from '../core/sample.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { calibrationSchema } from './calibration-file.ts';
import { settingsSchema } from './manifest.ts';

const json = z.record(z.string(), z.unknown());

const headSchema = z.strictObject({
  format: z.literal('permafrost-head'),
  version: z.literal(1),
  permafrost: z.string(),
  name: z.string(),
  params: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  classes: z.array(z.string()).min(2),
  /** Settings of the features that it was trained on: other features are refused. */
  settings: settingsSchema,
  /** The calibration that \`settings\` names, where they are int8: what describes new images as the training images were described. */
  calibration: calibrationSchema.optional(),
  pooling: z.enum(POOLINGS),
  width: z.number().int().positive(),
  /** State of the head and of the normaliser before it, beside their tensors `head/...` and `normalizer/...`. */
  head: json,
  normalizer: json,
  /** When the head answers "unknown", beside its tensors `reject/...`; absent where it never does. */
  reject: json.optional(),
  trained: z.strictObject({
    images: z.number().int().positive(),
    /** The store, relative to the head file's folder: where its training images are looked up. */
    store: z.string(),
  }),
});

/** A fitted head on disk without its tensors. */
export type HeadDocument = Omit<z.infer<typeof headSchema>, 'format' | 'version'>;

export type HeadTensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }
>;

/** Writes a head as a safetensors file, its document under the metadata key `permafrost`. Throws STORE_WRITE. */
export async function writeHead(path: string, document: HeadDocument, tensors: HeadTensors): Promise<void> {
  const typed = new Map<string, Tensor>();
  for (const [name, { shape, data }] of tensors) {
    typed.set(
      name,
      data instanceof Float32Array ? { dtype: 'F32', shape, data } : { dtype: 'I32', shape, data },
    );
  }
  const permafrost = JSON.stringify({ format: 'permafrost-head', version: 1, ...document });
  await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
    throw new PermafrostError('STORE_WRITE', `The folder of ${path} cannot be made: ${reasonOf(cause)}.`, {
      cause,
    });
  });
  await writeFileAtomic(path, [writeSafetensors(typed, { permafrost })]);
}

/** Reads a head file. Throws HEAD_CORRUPT where it is missing, damaged or something else. */
export async function readHead(path: string): Promise<{ document: HeadDocument; tensors: HeadTensors }> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The head ${path} cannot be read: ${reasonOf(cause)}. Give a file that "permafrost train" wrote.`,
      { cause },
    );
  });
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
    const where = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`,
    );
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `${path} is damaged or of another version: ${where.slice(0, 3).join('; ')}. Train it again.`,
    );
  }
  const { settings, calibration } = parsed.data;
  if (settings.calibration !== (calibration && calibrationDigest(calibration))) {
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
  return { document: parsed.data, tensors: numeric };
}

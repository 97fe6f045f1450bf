import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { reasonOf } from '../../../core/errors.ts';
import { factsOfFile, type FileFacts } from '../../../core/files/file-facts.ts';
import { unsealExactly } from '../sealed-json.ts';

/** What the names of a table's files end with, after that of its head without its own ending. */
export const ANSWERS_ENDINGS = { parquet: '.answers.parquet', csv: '.answers.csv', seal: '.answers.json' } as const;

const HEAD_ENDING = '.safetensors';

/** The files of a head's table, beside the head's own. */
export interface AnswersFiles {
  readonly parquet: string;
  readonly csv: string;
  readonly seal: string;
}

/** Where the answers of a head are kept: beside its file, under its name. */
export function answersFiles(headFile: string): AnswersFiles {
  const stem = headFile.endsWith(HEAD_ENDING) ? headFile.slice(0, -HEAD_ENDING.length) : headFile;
  const { parquet, csv, seal } = ANSWERS_ENDINGS;
  return { parquet: stem + parquet, csv: stem + csv, seal: stem + seal };
}

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const fileSchema = z.strictObject({ bytes: z.number().int().nonnegative(), sha256: digest });

/** What a table is of: who reads it compares all of these with what there is. */
const ofSchema = z.strictObject({
  /** SHA-256 of the head's file. */
  head: digest,
  /** SHA-256 of the store's list of samples; of labels that a list brought, `labels` is of other things. */
  list: digest,
  /** Of paths, labels, splits and contents, as they counted (labels-digest.ts). */
  labels: digest,
  /** Of the files that hold the features which the head reads. */
  features: digest,
});
export type AnswersOf = z.infer<typeof ofSchema>;

const sealSchema = z.strictObject({
  format: z.literal('permafrost-answers'),
  version: z.literal(1),
  permafrost: z.string(),
  /** The name of the head's file, in the same folder. */
  headFile: z.string(),
  of: ofSchema,
  images: z.number().int().nonnegative(),
  /** Images that have an answer. */
  answered: z.number().int().nonnegative(),
  /** The head's classes, in the order of the columns `p_<class>`. */
  classes: z.array(z.string()),
  files: z.strictObject({ parquet: fileSchema, csv: fileSchema }),
});
/** What the seal of a table says. */
export type AnswersSeal = z.infer<typeof sealSchema>;

/** The seal of a table of answers. Throws a plain Error where it is not what was written, and what reading throws. */
export async function readAnswersSeal(file: string): Promise<AnswersSeal> {
  return sealSchema.parse(unsealExactly(await readFile(file, 'utf8')));
}

/** What is wrong with a file of a table; undefined where it is what was written. */
export async function fileProblem(file: string, { bytes, sha256 }: FileFacts): Promise<string | undefined> {
  try {
    const found = await factsOfFile(file);
    if (found.bytes !== bytes) return `${found.bytes} bytes, not ${bytes}`;
    return found.sha256 === sha256 ? undefined : 'its bytes are not those that were written';
  } catch (cause) {
    return reasonOf(cause);
  }
}

/** The head's file that a table lies beside. */
export const headFileOfSeal = (sealFile: string, { headFile }: Pick<AnswersSeal, 'headFile'>): string =>
  join(dirname(sealFile), basename(headFile));

import { existsSync } from 'node:fs';
import { readParquet } from '../../../core/table/read-parquet.ts';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { factsOfFile } from '../../../core/files/file-facts.ts';
import { matrix } from '../../../core/matrix.ts';
import { present, type OrReason } from '../../../results/or-reason.ts';
import {
  answersFiles,
  fileProblem,
  readAnswersSeal,
  type AnswersSeal,
} from '../../../store/format/answers/answers-seal.ts';
import { NOT_JUDGED, probabilityColumn, type AnswerRows } from '../../../store/format/answers/answers-table.ts';
import { labelsDigest } from '../../../store/format/answers/labels-digest.ts';
import { featuresDigest } from '../../../store/read/digests/features-digest.ts';
import type { HeadDocument } from '../../../store/read/heads/head-file.ts';
import type { Store } from '../../../store/open.ts';
import { storedPartsOfHead } from '../head-parts.ts';
import { storeOfSettings } from '../labelled-store.ts';

/** A table of answers that is of this head, of these labels and of these features, and whole. */
export interface OpenedAnswers {
  readonly seal: AnswersSeal;
  readonly parquet: string;
}

/**
 * The table beside a head's file, where it fits what there is now: the head, the store's images under the labels that
 * count, and the stored parts that the head reads. Else why not. Throws what reading the samples throws.
 */
export async function openAnswers(
  headFile: string,
  document: HeadDocument,
  store: Store,
): Promise<OrReason<OpenedAnswers>> {
  const files = answersFiles(headFile);
  if (!existsSync(files.seal)) return { missing: `there is none beside ${headFile}` };
  let seal: AnswersSeal;
  try {
    seal = await readAnswersSeal(files.seal);
  } catch (cause) {
    return { missing: `${files.seal} is damaged: ${reasonOf(cause)}` };
  }
  const { of } = seal;
  if (of.head !== (await factsOfFile(headFile)).sha256)
    return { missing: `${files.parquet} is of another head than ${headFile} is now` };
  if (of.labels !== labelsDigest(await store.samples()))
    return { missing: `${files.parquet} is of other images, labels or splits than those that count now` };
  const own = storeOfSettings(store, document.settings);
  const stored = storedPartsOfHead(own, document);
  if (!present(stored))
    return { missing: `the head reads features of other settings than those of the store (${stored.missing})` };
  if (of.features !== featuresDigest(own.parts(stored.parts)))
    return { missing: `${files.parquet} is of features that were written anew since` };
  const problem = await fileProblem(files.parquet, seal.files.parquet);
  return problem === undefined
    ? { seal, parquet: files.parquet }
    : { missing: `${files.parquet} is damaged: ${problem}` };
}

/** What a table says of some images, in the order of the list. */
export interface StoredAnswers extends Omit<AnswerRows, 'samples'> {
  readonly paths: readonly string[];
}

/** What a table says of every image, some rows at a time. Throws what reading throws. */
export async function* storedAnswers({ parquet, seal }: OpenedAnswers): AsyncGenerator<StoredAnswers> {
  const { classes } = seal;
  const own = classes.map(probabilityColumn);
  const names = ['path', 'out_of_fold', 'answer', 'unknown', 'novelty'] as const;
  for await (const { rows, columns } of readParquet(parquet, [...names, ...own])) {
    const [paths, outOfFold, answer, unknown, novelty] = names.map((name) => columns.get(name)!);
    const P = matrix(rows, classes.length);
    own.forEach((name, c) => {
      columns.get(name)!.forEach((value, i) => (P.data[i * P.cols + c] = (value as number | null) ?? NaN));
    });
    yield {
      paths: paths as string[],
      outOfFold: Uint8Array.from(outOfFold!, Number),
      answered: Uint8Array.from(answer!, (value) => Number(value !== null)),
      P,
      novelty: Float32Array.from(novelty!, (value) => (value as number | null) ?? NaN),
      unknown: Uint8Array.from(unknown!, (value) => (value === null ? NOT_JUDGED : Number(value))),
    };
  }
}

/** That the rows of a table are those of a list. Throws STORE_CORRUPT. */
export function requireSamePath(parquet: string, found: string | undefined, path: string): void {
  if (found === path) return;
  throw new PermafrostError(
    'STORE_CORRUPT',
    `${parquet} lists ${JSON.stringify(found)} where the store has ${JSON.stringify(path)}. Train the head again.`,
  );
}

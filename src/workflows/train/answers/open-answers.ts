import { existsSync } from 'node:fs';
import { readParquet } from '../../../core/table/read-parquet.ts';
import { reasonOf } from '../../../core/errors.ts';
import { present, type OrReason } from '../../../results/or-reason.ts';
import {
  answersFiles,
  factsOfFile,
  fileProblem,
  readAnswersSeal,
  type AnswersSeal,
} from '../../../store/format/answers/answers-seal.ts';
import { labelsDigest } from '../../../store/format/answers/labels-digest.ts';
import { featuresDigest } from '../../../store/read/features-digest.ts';
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

/** What a table says of one image; null where it says nothing. */
export interface StoredAnswer {
  readonly path: string;
  readonly outOfFold: boolean;
  readonly answer: string | null;
  readonly probability: number | null;
  readonly unknown: boolean | null;
  readonly novelty: number | null;
}

const READ = ['path', 'out_of_fold', 'answer', 'probability', 'unknown', 'novelty'] as const;

/** What a table says of every image, in the order of the list. */
export async function* storedAnswers({ parquet }: OpenedAnswers): AsyncGenerator<StoredAnswer> {
  for await (const { rows, columns } of readParquet(parquet, READ)) {
    const [path, outOfFold, answer, probability, unknown, novelty] = READ.map((name) => columns.get(name)!);
    for (let i = 0; i < rows; i++)
      yield {
        path: path![i] as string,
        outOfFold: outOfFold![i] as boolean,
        answer: answer![i] as string | null,
        probability: probability![i] as number | null,
        unknown: unknown![i] as boolean | null,
        novelty: novelty![i] as number | null,
      };
  }
}

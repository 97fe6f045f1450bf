import { argmax, row } from '../../core/matrix.ts';
import { blocksOf } from '../../core/rows.ts';
import { present } from '../../results/or-reason.ts';
import type { FeaturePart } from '../../core/sample.ts';
import type { TrainedContents } from '../../store/read/heads/trained-contents.ts';
import {
  openAnswers,
  requireSamePath,
  storedAnswers,
  type OpenedAnswers,
} from '../../workflows/train/answers/open-answers.ts';
import type { OpenedHead } from '../../workflows/train/files/head-files.ts';
import { probabilities } from '../../workflows/train/trained-head.ts';
import type { HeadVerdict } from '../api/studio-data.ts';
import type { Snapshot } from './snapshot.ts';

/** A head whose features a store has, and which parts of them it reads. */
export interface AskedHead {
  readonly opened: OpenedHead;
  readonly parts: readonly FeaturePart[];
}

/** By row: the likeliest class of each image as an index into `classes`, and its probability. */
export interface Verdicts {
  readonly classes: readonly string[];
  readonly best: Int32Array;
  readonly probability: Float32Array;
  /** 1 for an image that was judged by a head which was fitted without it, shape (images). */
  readonly outOfFold: Uint8Array;
  /** What the head was trained on; undefined where its file does not tell. */
  readonly trainedOn: TrainedContents | undefined;
}

/** The likeliest class of one row. */
export function verdictOf(
  { classes, best, probability }: Pick<Verdicts, 'classes' | 'best' | 'probability'>,
  i: number,
): HeadVerdict {
  return { label: classes[best[i]!]!, probability: probability[i]! };
}

/** A table of a head's answers to the images of a snapshot. */
export interface AnswersBeside extends OpenedAnswers {
  /** Whether it answers every image. */
  readonly isWhole: boolean;
}

/** The table beside a head's file, where there is one that fits. */
export async function answersBeside(
  file: string,
  { document }: OpenedHead,
  { store }: Snapshot,
): Promise<AnswersBeside | undefined> {
  const found = await openAnswers(file, document, store);
  return present(found) ? { ...found, isWhole: found.seal.answered === found.seal.images } : undefined;
}

/** Verdicts on all images: those of the table, of whose lacking ones the head is asked. */
export async function verdictsOn(
  asked: AskedHead,
  snapshot: Snapshot,
  table: AnswersBeside | undefined,
): Promise<Verdicts> {
  const { opened } = asked;
  const { length } = snapshot.samples;
  const verdicts: Verdicts = {
    classes: opened.head.classes,
    best: new Int32Array(length),
    probability: new Float32Array(length),
    outOfFold: new Uint8Array(length),
    trainedOn: opened.trainedOn,
  };
  if (table?.isWhole !== true) await judgeAll(asked, snapshot, verdicts);
  if (table !== undefined) await takeFrom(table, snapshot, verdicts);
  return verdicts;
}

async function takeFrom(
  table: AnswersBeside,
  { samples }: Snapshot,
  { best, probability, outOfFold }: Verdicts,
): Promise<void> {
  let at = 0;
  for await (const { paths, answered, P, outOfFold: isOut } of storedAnswers(table)) {
    for (const [i, path] of paths.entries()) {
      requireSamePath(table.parquet, path, samples.pathOf(at));
      if (answered[i] === 1) {
        best[at] = argmax(row(P, i));
        probability[at] = P.data[i * P.cols + best[at]!]!;
        outOfFold[at] = isOut[i]!;
      }
      at++;
    }
  }
}

async function judgeAll(
  { opened, parts }: AskedHead,
  snapshot: Snapshot,
  { best, probability }: Pick<Verdicts, 'best' | 'probability'>,
): Promise<void> {
  const { store, pooling, features } = snapshot;
  const put = (p: Float32Array, i: number): void => {
    best[i] = argmax(p);
    probability[i] = p[best[i]]!;
  };
  if (parts.length === 1 && parts[0]!.cut === features.name && parts[0]!.pooling === pooling) {
    await (
      await snapshot.rows()
    ).each(async (X, rowOf) => {
      const P = await probabilities(opened, X);
      for (let j = 0; j < P.rows; j++) put(row(P, j), rowOf(j));
    });
    return;
  }
  const stored = await store.rows({ parts, memory: 'blocks' });
  for await (const { start, X } of blocksOf(stored)) {
    const P = await probabilities(opened, X);
    for (let i = 0; i < P.rows; i++) put(row(P, i), stored.places[start + i]!);
  }
}

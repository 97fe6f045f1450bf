import { factsOfFile } from '../../../core/files/file-facts.ts';
import { labelsDigest } from '../../../store/format/answers/labels-digest.ts';
import { writeAnswers } from '../../../store/format/answers/write-answers.ts';
import { featuresDigest } from '../../../store/read/digests/features-digest.ts';
import type { AnswersResult } from '../../../results/head-result.ts';
import { VERSION } from '../../version.ts';
import type { Work } from '../../work.ts';
import { answersOfHead, type AskedHead } from './answers-of-head.ts';

/**
 * Keeps what a head says of every image beside its file, as Parquet and CSV. Says where training images have no answer.
 * Throws STORE_WRITE, STORE_CORRUPT, PACKAGE_MISSING, INTERRUPTED.
 */
export async function keepAnswers(headFile: string, asked: AskedHead, work: Work): Promise<AnswersResult> {
  const { trained, store } = asked;
  return writeAnswers(headFile, {
    permafrost: VERSION,
    of: {
      head: (await factsOfFile(headFile)).sha256,
      list: store.manifest.dataset.samples!.sha256,
      labels: labelsDigest(await store.samples()),
      features: featuresDigest(store.parts(trained.parts)),
    },
    classes: trained.head.classes,
    rows: answersOfHead(asked, work),
  });
}

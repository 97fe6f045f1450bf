import { basename } from 'node:path';
import type { FileFacts } from '../../../core/files/file-facts.ts';
import { csvBytes } from '../../../core/table/csv.ts';
import { lockstep } from '../../../core/table/lockstep.ts';
import { parquetBytes } from '../../../core/table/parquet.ts';
import type { Table } from '../../../core/table/table.ts';
import { writeOutput } from '../atomic-file.ts';
import { sealJson } from '../sealed-json.ts';
import { answersFiles, type AnswersFiles, type AnswersOf, type AnswersSeal } from './answers-seal.ts';
import { removeAnswers } from './kept-answers.ts';
import { answersColumns, answersRows, type AnswerRows } from './answers-table.ts';

/** What is written beside a head. */
export interface AnswersTable {
  readonly permafrost: string;
  readonly of: AnswersOf;
  readonly classes: readonly string[];
  /** All images, in the order of their paths; each batch is valid until the next is asked for. */
  readonly rows: AsyncIterable<AnswerRows>;
}

/** The files of a table, its images, and how many of them have an answer. */
export interface WrittenAnswers
  extends Pick<AnswersFiles, 'parquet' | 'csv'>, Pick<AnswersSeal, 'images' | 'answered'> {}

/**
 * Writes a head's answers beside its file, as Parquet and as CSV, and last of all their seal. Throws STORE_WRITE,
 * PACKAGE_MISSING, and what the rows throw.
 */
export async function writeAnswers(
  headFile: string,
  { permafrost, of, classes, rows }: AnswersTable,
): Promise<WrittenAnswers> {
  const files = answersFiles(headFile);
  // What stands there is of an older head: without its seal nobody takes it for this one's.
  await removeAnswers(files);
  let [images, answered] = [0, 0];
  const counted = async function* () {
    for await (const some of rows) {
      images += some.samples.length;
      for (const is of some.answered) answered += is;
      yield answersRows(some, classes);
    }
  };
  const columns = answersColumns(classes);
  const metadata = new Map([['permafrost', JSON.stringify({ answers: 1, headFile: basename(headFile), of })]]);
  const lanes = lockstep(counted(), 2);
  const write = (lane: (typeof lanes)[number], path: string, bytes: (table: Table) => AsyncIterable<Uint8Array>) =>
    writeOutput(path, bytes({ columns, rows: lane.items })).finally(() => lane.leave());
  const written = await Promise.allSettled([
    write(lanes[0]!, files.parquet, (table) => parquetBytes(table, { metadata })),
    write(lanes[1]!, files.csv, (table) => csvBytes(table)),
  ]);
  const [parquet, csv] = written.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  }) as [FileFacts, FileFacts];
  const seal = sealJson({
    format: 'permafrost-answers',
    version: 1,
    permafrost,
    headFile: basename(headFile),
    of,
    images,
    answered,
    classes: [...classes],
    files: { parquet, csv },
  });
  await writeOutput(files.seal, [new TextEncoder().encode(seal)]);
  return { parquet: files.parquet, csv: files.csv, images, answered };
}

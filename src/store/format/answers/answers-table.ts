import { argmax, row, type Matrix } from '../../../core/matrix.ts';
import type { Sample } from '../../../core/sample.ts';
import type { TableColumn, TableRows } from '../../../core/table/table.ts';

/** What a head says of some images, in the order of their paths. */
export interface AnswerRows {
  readonly samples: readonly Sample[];
  /** 1 for an image that is judged by a head which was fitted on others, shape (samples). */
  readonly outOfFold: Uint8Array;
  /** 1 for an image that has an answer, shape (samples). */
  readonly answered: Uint8Array;
  /** Probability of each class, shape (samples, classes); of an image without an answer any numbers. */
  readonly P: Matrix;
  /** The novelty score of each, NaN where there is none, shape (samples). */
  readonly novelty: Float32Array;
  /** 1 for an image that is called unknown, 0 for one that is not, 2 where that is not known, shape (samples). */
  readonly unknown: Uint8Array;
}

/** Of `AnswerRows.unknown`. */
export const NOT_JUDGED = 2;

/** The column of a class's probability. */
export const probabilityColumn = (label: string): string => `p_${label}`;

/** Columns of what a head says of an image, behind those that name it. */
export const answerColumns = (classes: readonly string[]): TableColumn[] => [
  { name: 'out_of_fold', type: 'boolean' },
  { name: 'answer', type: 'text', nullable: true },
  { name: 'probability', type: 'float32', nullable: true },
  { name: 'unknown', type: 'boolean', nullable: true },
  { name: 'novelty', type: 'float32', nullable: true },
  ...classes.map((label): TableColumn => ({ name: probabilityColumn(label), type: 'float32', nullable: true })),
];

/** Columns that name an image. */
export const SAMPLE_COLUMNS: readonly TableColumn[] = [
  { name: 'path', type: 'text' },
  { name: 'label', type: 'text' },
  { name: 'split', type: 'text' },
];

/** The columns of a table of answers. */
export const answersColumns = (classes: readonly string[]): TableColumn[] => [
  ...SAMPLE_COLUMNS,
  ...answerColumns(classes),
];

/** Values of SAMPLE_COLUMNS. */
export const sampleValues = (samples: readonly Sample[]): TableRows['values'] => [
  samples.map(({ path }) => path),
  samples.map(({ label }) => label),
  samples.map(({ split }) => split),
];

/** Rows of a table of answers, of a head of these classes. */
export function answersRows(
  { samples, outOfFold, answered, P, novelty, unknown }: AnswerRows,
  classes: readonly string[],
): TableRows {
  const each = <T>(of: (i: number) => T): (T | null)[] => samples.map((_, i) => (answered[i] === 1 ? of(i) : null));
  const guess = samples.map((_, i) => argmax(row(P, i)));
  return {
    rows: samples.length,
    values: [
      ...sampleValues(samples),
      Array.from(outOfFold, (is) => is === 1),
      each((i) => classes[guess[i]!]!),
      each((i) => P.data[i * P.cols + guess[i]!]!),
      each((i) => (unknown[i] === NOT_JUDGED ? null : unknown[i] === 1)),
      each((i) => (Number.isNaN(novelty[i]) ? null : novelty[i]!)),
      ...classes.map((_, c) => each((i) => P.data[i * P.cols + c]!)),
    ],
  };
}

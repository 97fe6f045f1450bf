import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import { engineClass } from '../../../extract/engines/choice/variants.ts';
import type { Failure } from '../../../core/sample.ts';
import type { TableColumn } from '../../../core/table/table.ts';
import type { ClassifierFacts, Prediction } from '../../../results/answer-results.ts';

/** What stands in a row of a file: a prediction, or why there is none. */
export type Row = Prediction | Failure;

export type Cell = string | boolean | number | null;

/** What a file of answers holds. */
export interface AnswerTable {
  readonly columns: readonly TableColumn[];
  /**
   * Of each row of the file: which head answered and what it was asked, as a digest, and the engine, or several. Rows
   * of another one do not mix with these.
   */
  readonly answeredBy: string;
  /** The values of a row, in the order of the columns. */
  cells(row: Row): Cell[];
}

/** What is asked beside the class. */
export interface AskedOfAnswers {
  /** Likeliest classes in place of all; 0: all. */
  readonly top: number;
  readonly neighbors: number;
  readonly minProbability: number;
  /** Whether texts of CSV are escaped. */
  readonly escapeFormulas: boolean;
}

const numbered = (count: number, names: (n: number) => readonly TableColumn[]): TableColumn[] =>
  Array.from({ length: count }, (_, i) => names(i + 1)).flat();

const text = (name: string): TableColumn => ({ name, type: 'text', nullable: true });
const number = (name: string): TableColumn => ({ name, type: 'float32', nullable: true });

/** Digits of a digest that tell heads apart. */
const DIGITS = 16;

function answeredByOf(
  { digest, unknown, engine, others }: ClassifierFacts,
  { minProbability, escapeFormulas }: AskedOfAnswers,
): string {
  const asked = { digest, unknown, minProbability, ...(escapeFormulas && { escapeFormulas }) };
  const engines = [engine, ...others.map((one) => one.engine)].map(({ name, device, precision }) =>
    engineClass({ engine: name, device, precision }),
  );
  return [sha256Hex(canonicalJson(asked)).slice(0, DIGITS), ...new Set(engines)].join(' ');
}

/** The table of a head's answers; of an image without an answer all is empty but its path, the reason and the head. */
export function answerTable(facts: ClassifierFacts, asked: AskedOfAnswers): AnswerTable {
  const { classes } = facts;
  const { neighbors } = asked;
  const top = Math.min(asked.top, classes.length);
  const answeredBy = answeredByOf(facts, asked);
  const columns: readonly TableColumn[] = [
    { name: 'path', type: 'text' },
    text('label'),
    { name: 'unknown', type: 'boolean', nullable: true },
    number('probability'),
    number('novelty'),
    ...(top > 0
      ? numbered(top, (n) => [text(`top_${n}`), number(`top_${n}_probability`)])
      : classes.map((label) => number(`p_${label}`))),
    ...numbered(neighbors, (n) => [
      text(`neighbor_${n}`),
      text(`neighbor_${n}_label`),
      number(`neighbor_${n}_distance`),
    ]),
    text('error'),
    { name: 'answered_by', type: 'text' },
  ];
  const none = columns.slice(1, -2).map(() => null);
  return {
    columns,
    answeredBy,
    cells(row) {
      if ('reason' in row) return [row.path, ...none, `${row.code}: ${row.reason}`, answeredBy];
      const likeliest = row.top ?? [];
      return [
        row.path,
        row.label,
        row.unknown,
        row.probability,
        row.strangeness?.value ?? null,
        ...(top > 0
          ? likeliest.flatMap(({ label, probability }) => [label, probability])
          : classes.map((label) => row.probabilities[label]!)),
        ...Array.from({ length: neighbors }, (_, i) => row.neighbors[i]).flatMap((near) =>
          near === undefined ? [null, null, null] : [near.path, near.label, near.distance],
        ),
        null,
        answeredBy,
      ];
    },
  };
}

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import type { AnswerTable, Row } from './answer-table.ts';
import type { RowFormat } from './rows-file.ts';

/** A line of JSON lines: the fields of a prediction, or `path` and `error`; and what answered. */
export function jsonRow({ answeredBy }: AnswerTable, row: Row): string {
  if ('reason' in row) {
    const { path, code, reason } = row;
    return `${JSON.stringify({ path, error: { code, reason }, answered_by: answeredBy })}\n`;
  }
  const { path, label, unknown, probability, probabilities, top, strangeness, neighbors } = row;
  const said = { path, label, unknown, probability, strangeness };
  const classes = top === undefined ? { probabilities } : { top };
  return `${JSON.stringify({ ...said, ...classes, ...(neighbors.length > 0 && { neighbors }), answered_by: answeredBy })}\n`;
}

const rowSchema = z.looseObject({ path: z.string(), answered_by: z.string() });

/** JSON lines of answers, UTF-8. */
export const JSONL_FORMAT: RowFormat = {
  header: '',
  hasQuotes: false,
  async *read(file, bytes) {
    if (bytes === 0) return;
    const input = createReadStream(file, { end: bytes - 1 });
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const { path, answered_by: answeredBy } = rowSchema.parse(JSON.parse(line));
      yield { path, answeredBy };
    }
  },
};

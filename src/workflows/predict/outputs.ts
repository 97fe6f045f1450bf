import { PermafrostError } from '../../core/errors.ts';
import { plural } from '../../core/words.ts';
import type { ClassifierFacts, PredictResult } from '../../results/answer-results.ts';
import type { PredictOptions, PredictWork } from './options.ts';
import { answerTable, type Row } from './sinks/answer-table.ts';
import { openSinks, requireFiles } from './sinks/open-sinks.ts';
import { requireApart, sortedFolder } from './sort-into.ts';

/** Where the answers of a run go. */
export interface Outputs {
  /** Images that are to be answered, each once: those that lack a row somewhere. */
  readonly wanted: readonly string[];
  /** Images that lack none. */
  readonly before: number;
  write(row: Row): Promise<void>;
  /** Makes files whole at the end of a run, and says what there is. */
  finish(): Promise<Pick<PredictResult, 'written' | 'sorted'>>;
  close(): Promise<void>;
}

/** Whether answers go anywhere but into the result. Throws OPTION_INVALID for what cannot be, before any work. */
export function requireOutputs(options: PredictOptions, images: readonly string[], canPrint: boolean): boolean {
  const { sortInto, link } = options;
  if (link && sortInto === '')
    throw new PermafrostError('OPTION_INVALID', 'predict: link says how sortInto puts images, which is not given.');
  if (sortInto !== '') requireApart(sortInto, images);
  return requireFiles(options, canPrint) || sortInto !== '';
}

/** Opens files and folder. Throws OPTION_INVALID, STORE_WRITE. */
export async function openOutputs(
  facts: ClassifierFacts,
  images: readonly string[],
  options: PredictOptions,
  { listener, print }: PredictWork,
): Promise<Outputs> {
  const { sortInto, link } = options;
  const sinks = await openSinks(options, answerTable(facts, options), print, listener);
  const given = [...new Set(images)];
  if (given.length < images.length)
    listener?.note?.(`${plural(images.length - given.length, 'image')} given twice: each is answered once.`);
  const isDone = (path: string): boolean => sinks.length > 0 && sinks.every(({ known }) => known.has(path));
  const wanted = given.filter((path) => !isDone(path));
  const before = given.length - wanted.length;
  if (before > 0)
    listener?.note?.(
      `${before} of ${plural(given.length, 'image')} have answers of this head in ${sinks.map(({ file }) => file).join(' and ')}: they are not asked about again.`,
    );
  const sorted = sortInto === '' ? undefined : await sortedFolder(sortInto, facts.classes, link);
  const rows = new Map(sinks.map((sink) => [sink, sink.known.size]));
  let isOpen = true;
  return {
    wanted,
    before,
    async write(row) {
      // First the image: a row says that it has its place.
      await sorted?.put(row);
      for (const sink of sinks) {
        await sink.write(row);
        if (!sink.known.has(row.path)) rows.set(sink, rows.get(sink)! + 1);
      }
    },
    async finish() {
      isOpen = false;
      for (const sink of sinks) await sink.finish();
      await sorted?.close();
      return {
        ...(sinks.length > 0 && {
          written: sinks.map((sink) => ({ kind: sink.kind, file: sink.file, rows: rows.get(sink)! })),
        }),
        ...(sorted && { sorted: { folder: sortInto, isLinks: link, ...sorted.counts } }),
      };
    },
    async close() {
      if (!isOpen) return;
      for (const sink of sinks) await sink.close();
      await sorted?.close();
    },
  };
}

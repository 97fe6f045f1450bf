import { readParquet } from '../../../core/table/read-parquet.ts';
import type { ColumnValues, TableColumn, TableRows } from '../../../core/table/table.ts';
import { answerColumns, SAMPLE_COLUMNS, sampleValues } from '../../../store/format/answers/answers-table.ts';
import type { StoredSample } from '../../../store/format/shard.ts';
import type { Store } from '../../../store/open.ts';
import type { StoredPart } from '../../../store/read/stored-parts.ts';
import { checkAborted } from '../../../classify/checks.ts';
import { progressMeter } from '../../progress-meter.ts';
import { requireSamePath, type OpenedAnswers } from '../../train/answers/open-answers.ts';
import type { Work } from '../../work.ts';

/** What is exported of a store. */
export interface ExportedStore {
  /** The images, under the labels that count. */
  readonly store: Store;
  /** What stands side by side in the features. */
  readonly parts: readonly StoredPart[];
  /** What a head says of every image; undefined where there is no table of that. */
  readonly answers: OpenedAnswers | undefined;
}

export const FEATURES_COLUMN = 'features';

/** Numbers an image of some parts side by side. */
export const widthOfParts = (parts: readonly StoredPart[]): number => parts.reduce((sum, { width }) => sum + width, 0);

/** Columns of an exported table: what names an image, what a head says of it, its features. */
export const exportedColumns = ({ parts, answers }: ExportedStore): TableColumn[] => [
  ...SAMPLE_COLUMNS,
  { name: 'sha256', type: 'text' },
  ...(answers === undefined ? [] : answerColumns(answers.seal.classes)),
  { name: FEATURES_COLUMN, type: 'float32', width: widthOfParts(parts) },
];

/** Samples and their features, in the order of the list, a batch of `mostRows` at a time. */
export async function* featureBatches(
  { store, parts }: Pick<ExportedStore, 'store' | 'parts'>,
  mostRows: number,
  work: Work,
): AsyncGenerator<{ readonly samples: readonly StoredSample[]; readonly X: Float32Array<ArrayBuffer> }> {
  const rows = await store.rows({ parts, memory: 'blocks' });
  const rowAt = new Int32Array(rows.rows);
  rows.places.forEach((place, i) => (rowAt[place] = i));
  const meter = progressMeter('exporting', rows.rows, work.listener, 'images');
  let [first, samples]: [number, StoredSample[]] = [0, []];
  async function batch() {
    checkAborted(work.signal && { signal: work.signal });
    const X = new Float32Array(samples.length * rows.cols);
    await rows.pick(
      samples.map((_, i) => rowAt[first + i]!),
      X,
    );
    first += samples.length;
    meter.advance(samples.length, samples.length);
    return { samples, X };
  }
  for (const sample of await store.samples()) {
    samples.push(sample);
    if (samples.length < mostRows) continue;
    yield await batch();
    samples = [];
  }
  if (samples.length > 0) yield await batch();
}

/** A reader of a table of answers that gives as many rows as are asked for next. */
function answersReader({ parquet, seal }: OpenedAnswers) {
  const names = ['path', ...answerColumns(seal.classes).map(({ name }) => name)];
  const groups = readParquet(parquet, names);
  let [left, at]: [ReadonlyMap<string, readonly unknown[]> | undefined, number] = [undefined, 0];
  return {
    /** The columns of these samples, which are the next of the table. Throws STORE_CORRUPT where they are not. */
    async next(samples: readonly StoredSample[]): Promise<ColumnValues[]> {
      const found = names.map((): unknown[] => []);
      while (found[0]!.length < samples.length) {
        if (left === undefined || at === left.get('path')!.length) {
          const group = await groups.next();
          if (group.done === true) break;
          [left, at] = [group.value.columns, 0];
        }
        const to = at + samples.length - found[0]!.length;
        names.forEach((name, n) => {
          for (const value of left!.get(name)!.slice(at, to)) found[n]!.push(value);
        });
        at = Math.min(to, left.get('path')!.length);
      }
      const [paths, ...values] = found;
      samples.forEach(({ path }, i) => requireSamePath(parquet, paths![i] as string | undefined, path));
      return values as unknown as ColumnValues[];
    },
    close: () => groups.return(undefined),
  };
}

/** The rows of an exported table. */
export async function* exportedRows(from: ExportedStore, mostRows: number, work: Work): AsyncGenerator<TableRows> {
  const answers = from.answers && answersReader(from.answers);
  try {
    for await (const { samples, X } of featureBatches(from, mostRows, work))
      yield {
        rows: samples.length,
        values: [
          ...sampleValues(samples),
          samples.map(({ sha256 }) => sha256),
          ...(answers === undefined ? [] : await answers.next(samples)),
          X,
        ],
      };
  } finally {
    await answers?.close();
  }
}

import { resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { resolveOptions } from '../../../core/options.ts';
import { csvBytes, csvTexts, formulasNote } from '../../../core/table/csv.ts';
import { parquetBytes } from '../../../core/table/parquet.ts';
import { present } from '../../../results/or-reason.ts';
import type { TableExportResult } from '../../../results/export-table-result.ts';
import { requireFolderOf, writeOutput } from '../../../store/format/atomic-file.ts';
import { readHead } from '../../../store/read/heads/head-file.ts';
import { partsText } from '../../../store/read/stored-parts.ts';
import { storedNetworks } from '../../../store/read/stored-networks.ts';
import { openStore, type Store } from '../../../store/open.ts';
import { chosenFeatures } from '../../network/cuts.ts';
import { headFileOf } from '../../run/best-head.ts';
import { openAnswers, type OpenedAnswers } from '../../train/answers/open-answers.ts';
import { storeThrough } from '../../train/files/store-through.ts';
import { labelledStore } from '../../train/labelled-store.ts';
import type { Work } from '../../work.ts';
import { arrowSchemaOf } from './arrow-schema.ts';
import { npzBytes } from './npz.ts';
import { TABLE_OPTIONS, type TableOptions } from './options.ts';
import { exportedColumns, exportedRows, widthOfParts, type ExportedStore } from './table-rows.ts';

/** Numbers of a batch, a row group of Parquet: 16 MiB of float32, and several times that while it is written. */
const BATCH_VALUES = 2 ** 22;
/** The most rows of one, which short features reach. */
const BATCH_ROWS = 2 ** 16;

/**
 * Writes a store's images as a table: path, label and split as they count now, features of any pooling or parts, and
 * what its best head says of each image, where a table of that fits. Streams: nothing but a batch is in memory. Throws
 * OPTION_INVALID, STORE_WRITE, PACKAGE_MISSING, INTERRUPTED, and what openStore, labelledStore and Store.rows throw.
 */
export async function exportTable(
  storePath: string,
  given: Partial<TableOptions>,
  work: Work = {},
): Promise<TableExportResult> {
  const options = resolveOptions('export', TABLE_OPTIONS, given);
  const { labels, cut, pooling, backboneFile, columns: asColumns } = options;
  const targets = (['parquet', 'csv', 'npz'] as const).filter((kind) => options[kind] !== '');
  if (targets.length === 0)
    throw new PermafrostError(
      'OPTION_INVALID',
      'No file is named. Give --parquet FILE, --csv FILE or --npz FILE, or several of them.',
    );
  for (const kind of targets) requireFolderOf(options[kind]);
  const opened = await openStore(storePath);
  const { store, relabelled } = await labelledStore(await storeThrough(opened, backboneFile), labels, work);
  const parts = store.parts(chosenFeatures(cut, pooling));
  const answers = await answersOf(opened, store, options.head, work);
  const from: ExportedStore = { store, parts, answers };
  const columns = exportedColumns(from);
  const width = widthOfParts(parts);
  const batchRows = Math.max(1, Math.min(BATCH_ROWS, Math.floor(BATCH_VALUES / (width + columns.length))));
  const table = () => ({ columns, rows: exportedRows(from, batchRows, work) });
  const listsAs = asColumns ? 'columns' : 'lists';
  const texts = csvTexts(options.escapeFormulas);
  const written = {
    parquet: () => parquetBytes(table(), { listsAs, metadata: arrowSchemaOf(columns, listsAs) }),
    csv: () => csvBytes(table(), texts),
    npz: () => npzBytes(from, batchRows, work),
  };
  const files: { kind: (typeof targets)[number]; path: string; bytes: number }[] = [];
  for (const kind of targets) {
    const path = resolve(options[kind]);
    files.push({ kind, path, bytes: (await writeOutput(path, written[kind]())).bytes });
  }
  const formulas = formulasNote(options.csv, texts);
  if (formulas !== undefined) work.listener?.note?.(formulas);
  const [{ sets }] = storedNetworks(store);
  return {
    store: store.path,
    images: (await store.samples()).length,
    features: partsText(sets[0].name, parts),
    width,
    ...(labels !== '' && { relabelled: relabelled.length }),
    answers: answers === undefined ? null : answers.parquet,
    files,
  };
}

/** The table of a head's answers, where there is one that fits; else it is said why none is joined. */
async function answersOf(opened: Store, store: Store, head: string, work: Work): Promise<OpenedAnswers | undefined> {
  let why: string;
  try {
    const file = await headFileOf(head === '' ? opened.path : head, work.listener);
    const found = await openAnswers(file, (await readHead(file)).document, store);
    if (present(found)) return found;
    why = `No answers of a head are joined: ${found.missing}. "permafrost run" or "permafrost train" writes them.`;
  } catch (error) {
    // A head that was named must be there.
    if (head !== '' || !(error instanceof PermafrostError) || error.code !== 'OPTION_INVALID') throw error;
    why = `No answers of a head are joined: ${reasonOf(error)}`;
  }
  work.listener?.note?.(why);
  return undefined;
}

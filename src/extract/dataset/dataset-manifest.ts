import { dirname, extname, resolve } from 'node:path';
import { few, PermafrostError } from '../../core/errors.ts';
import type { Sample } from '../../core/sample.ts';
import { isS3Address } from '../source/s3/address.ts';
import { spellings, trimmed } from './labels.ts';
import { lacking, SplitColumns } from './list-columns.ts';
import { filePaths, s3Paths, type ListPaths } from './list-paths.ts';
import { failInLine, LIST_HELP, readRecords, type ListRecord } from './list-records.ts';
import { readListText } from './list-text.ts';

const KINDS: Readonly<Record<string, 'csv' | 'jsonl'>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

/** Whether a path is named as a list of images. */
export const isListName = (path: string): boolean =>
  !path.endsWith('/') && Object.hasOwn(KINDS, extname(path).toLowerCase());

/** A data set's list as read. */
export interface DatasetList {
  /** What paths are relative to: a folder, or an address in S3. */
  readonly root: string;
  readonly samples: Sample[];
  /** All have a split; else none has, and every sample says train. */
  readonly givesSplits: boolean;
  readonly warnings: string[];
}

/** The data set that a list is to be of. */
export interface ListedDataset {
  readonly root: string;
  /** Whether an image of it has that path. */
  readonly isThere: (path: string) => boolean;
}

/** How paths of a list are read, by the first of them where nothing else tells. */
function pathsOf(file: string, dataset: ListedDataset | undefined, first: string): ListPaths {
  if (dataset !== undefined) {
    const { root, isThere } = dataset;
    return isS3Address(root) ? s3Paths({ from: root, root }) : filePaths(resolve(root), isThere);
  }
  if (isS3Address(file)) return s3Paths({ from: file.slice(0, file.lastIndexOf('/')) });
  return isS3Address(first) ? s3Paths({ from: undefined }) : filePaths(dirname(resolve(file)));
}

const WEB =
  'Images are not read from the web: they would be others in the next run. Fetch them into tar files with img2dataset (docs/s3.md), or save them and list the files.';

/**
 * Reads a data set's list: a CSV with a header, or JSON lines. Samples are in the file's order. Paths are relative to
 * the list's folder, or to the root of `dataset` where the list gives the labels of one. Throws DATASET_LAYOUT naming
 * the line, DATASET_NOT_FOUND.
 */
export async function readManifestFile(file: string, dataset?: ListedDataset): Promise<DatasetList> {
  const kind = isListName(file) ? KINDS[extname(file).toLowerCase()]! : undefined;
  if (kind === undefined) {
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${file} is a file, and neither a .csv nor a .jsonl (nor .tsv, .ndjson). ${LIST_HELP}`,
    );
  }
  const text = await readListText(file);
  const warnings: string[] = [];
  const lineOf = new Map<string, number>();
  const labels = spellings();
  const columns = new SplitColumns();
  const listed: { path: string; label: string }[] = [];
  let paths = undefined as ListPaths | undefined;
  readRecords(file, text, kind, (record: ListRecord) => {
    const { line, fields } = record;
    const { path: written, label } = fields;
    if (typeof written !== 'string' || trimmed(written) === '')
      failInLine(file, line, `No path ${lacking('path', fields)}`);
    // Blanks before an address are none of its key; those behind may be.
    const path = isS3Address(written.trimStart()) ? written.trimStart() : written;
    if (/^\s*[a-z][a-z0-9+.-]+:\/\//i.test(path) && !isS3Address(path))
      failInLine(file, line, `${path} is an address. ${WEB}`);
    const name = typeof label === 'number' ? String(label) : (label ?? '');
    if (typeof name !== 'string')
      failInLine(file, line, `The label of ${path} is ${JSON.stringify(label)}, not a name.`);
    const own = labels.label(name);
    if (own === '')
      failInLine(file, line, `No label for ${path}${'label' in fields ? '.' : ` ${lacking('label', fields)}`}`);
    paths ??= pathsOf(file, dataset, path);
    const at = paths.locate(path, (what) => failInLine(file, line, what));
    const twin = lineOf.get(at);
    if (twin !== undefined) failInLine(file, line, `${path} stands in line ${twin} already.`);
    lineOf.set(at, line);
    columns.add(record);
    listed.push({ path: at, label: own });
  });
  paths ??= pathsOf(file, dataset, '');
  warnings.push(...paths.warnings(file));
  const splits = columns.resolve(file, warnings);
  warnings.push(...labels.warnings());
  const lost = [...new Set(listed.map(({ label }) => label))].filter((label) => label.includes('\ufffd'));
  if (lost.length > 0)
    warnings.push(
      `${file}: labels with U+FFFD, the mark of a character that was lost when the list was written: ${few(lost)}.`,
    );
  const settled = paths.settle(listed.map(({ path }) => path));
  const samples = listed.map(({ label }, i) => ({
    path: settled.paths[i]!,
    label,
    split: splits?.[i] ?? ('train' as const),
  }));
  return { root: settled.root, samples, givesSplits: splits !== undefined, warnings };
}

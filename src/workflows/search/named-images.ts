import { dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { few, PermafrostError } from '../../core/errors.ts';
import { isListName } from '../../extract/dataset/dataset-manifest.ts';
import { filePaths } from '../../extract/dataset/list-paths.ts';
import { readRecords } from '../../extract/dataset/list-records.ts';
import { readListText } from '../../extract/dataset/list-text.ts';
import { isS3Address } from '../../extract/source/s3/address.ts';

/** Whether a file is named as a list of images: a table with a column of paths, or a path a line. */
export const isListOfImages = (path: string): boolean => isListName(path) || extname(path).toLowerCase() === '.txt';

const lines = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.trim() !== '');

/** The paths that a list has, as they stand in it. */
function writtenIn(file: string, text: string): string[] {
  const kind = extname(file).toLowerCase();
  if (kind === '.txt') return lines(text);
  const written: string[] = [];
  readRecords(file, text, kind === '.jsonl' || kind === '.ndjson' ? 'jsonl' : 'csv', ({ line, fields }) => {
    const { path } = fields;
    if (typeof path === 'string' && path.trim() !== '') written.push(path);
    else
      throw new PermafrostError(
        'DATASET_LAYOUT',
        `${file}, line ${line}: no path (found the fields ${few(Object.keys(fields))}). A list of images has a column path; the first line of a CSV names its columns. A .txt has a path a line.`,
      );
  });
  return written;
}

/**
 * The images that a list names, one or more times: a .csv, .tsv, .jsonl or .ndjson with a column `path`, or a .txt with
 * a path a line. Paths are relative to the list's folder. Throws DATASET_NOT_FOUND, and DATASET_LAYOUT naming the line.
 */
export async function imagesInList(file: string): Promise<string[]> {
  const folder = dirname(file);
  const paths = filePaths(resolve(folder));
  const refuse = (what: string): never => {
    throw new PermafrostError('DATASET_LAYOUT', `${file}: ${what}`);
  };
  return writtenIn(file, await readListText(file)).map((path) =>
    isS3Address(path) || isAbsolute(path) ? path : join(folder, paths.locate(path, refuse)),
  );
}

/** Names of images as other programs print them: a line each, or each ended by NUL (find -print0). */
export async function imagesInNames(names: AsyncIterable<Uint8Array>): Promise<string[]> {
  const parts: Uint8Array[] = [];
  for await (const part of names) parts.push(part);
  const text = Buffer.concat(parts)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  return text.includes('\0') ? text.split('\0').filter((name) => name !== '') : lines(text);
}

import { existsSync } from 'node:fs';
import { dirname, extname, isAbsolute, relative, resolve, sep } from 'node:path';
import { few, PermafrostError } from '../../core/errors.ts';
import type { Sample } from '../../core/sample.ts';
import { spellings, trimmed } from './labels.ts';
import { lacking, SplitColumns } from './list-columns.ts';
import { failInLine, LIST_HELP, readRecords, type ListRecord } from './list-records.ts';
import { readListText } from './list-text.ts';

const KINDS: Readonly<Record<string, 'csv' | 'jsonl'>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

/** Whether a path is named as a list of images. */
export const isListName = (path: string): boolean => Object.hasOwn(KINDS, extname(path).toLowerCase());

/** A path that can be meant in one way only: printable ASCII without a backslash, no blank at its ends. */
const PLAIN = /^[!-[\]-~]([ -[\]-~]*[!-[\]-~])?$/;

/** How a path may be meant, as it stands first: blanks at its ends, Windows' backslashes, another Unicode form. */
function spellingsOf(path: string): string[] {
  const slashes = sep === '/' ? path.replaceAll('\\', '/') : path;
  const forms = [path, trimmed(path), slashes, trimmed(slashes)];
  return [...new Set([...forms, ...forms.map((p) => p.normalize('NFC')), ...forms.map((p) => p.normalize('NFD'))])];
}

/** A data set's list as read. */
export interface DatasetList {
  /** The folder that paths are relative to. */
  readonly root: string;
  readonly samples: Sample[];
  /** All have a split; else none has, and every sample says train. */
  readonly givesSplits: boolean;
  readonly warnings: string[];
}

/**
 * Reads a data set's list: a CSV with a header, or JSON lines. Samples are in the file's order, paths relative to
 * `root`. `isThere` tells whether an image has that path; asked only where a path can be meant in several ways. Throws
 * DATASET_LAYOUT naming the line, DATASET_NOT_FOUND.
 */
export async function readManifestFile(
  file: string,
  root: string = dirname(resolve(file)),
  isThere: (path: string) => boolean = (path) => existsSync(resolve(root, path)),
): Promise<DatasetList> {
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
  const backslashes: string[] = [];
  const clean = (path: string): string =>
    relative(root, isAbsolute(path) ? path : resolve(root, path))
      .split(sep)
      .join('/');
  const located = (path: string): string => {
    if (PLAIN.test(path)) return clean(path);
    const [asIs, ...others] = spellingsOf(path);
    const found = [asIs!, ...others].find((spelling) => isThere(clean(spelling)));
    // Where none is there, the failure of the image names the likeliest.
    const taken = found ?? trimmed(sep === '/' ? path.replaceAll('\\', '/') : path);
    if (path.includes('\\') && !taken.includes('\\')) backslashes.push(path);
    return clean(taken);
  };
  readRecords(file, text, kind, (record: ListRecord) => {
    const { line, fields } = record;
    const { path, label } = fields;
    if (typeof path !== 'string' || trimmed(path) === '') failInLine(file, line, `No path ${lacking('path', fields)}`);
    if (/^\s*[a-z][a-z0-9+.-]+:\/\//i.test(path))
      failInLine(file, line, `${path} is an address, and addresses are not read. Save the image and list its file.`);
    const name = typeof label === 'number' ? String(label) : (label ?? '');
    if (typeof name !== 'string')
      failInLine(file, line, `The label of ${path} is ${JSON.stringify(label)}, not a name.`);
    const own = labels.label(name);
    if (own === '')
      failInLine(file, line, `No label for ${path}${'label' in fields ? '.' : ` ${lacking('label', fields)}`}`);
    const at = located(path);
    const twin = lineOf.get(at);
    if (twin !== undefined) failInLine(file, line, `${path} stands in line ${twin} already.`);
    lineOf.set(at, line);
    columns.add(record);
    listed.push({ path: at, label: own });
  });
  if (backslashes.length > 0)
    warnings.push(
      `${file}: ${backslashes.length} paths are written with Windows' backslashes (${few(backslashes, 2)}) and are read with slashes.`,
    );
  const splits = columns.resolve(file, warnings);
  warnings.push(...labels.warnings());
  const lost = [...new Set(listed.map(({ label }) => label))].filter((label) => label.includes('\ufffd'));
  if (lost.length > 0)
    warnings.push(
      `${file}: labels with U+FFFD, the mark of a character that was lost when the list was written: ${few(lost)}.`,
    );
  const samples = listed.map((sample, i) => ({ ...sample, split: splits?.[i] ?? ('train' as const) }));
  return { root, samples, givesSplits: splits !== undefined, warnings };
}

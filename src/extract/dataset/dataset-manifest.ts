import { readFile } from 'node:fs/promises';
import { dirname, extname, isAbsolute, relative, resolve, sep } from 'node:path';
import { parse } from 'csv-parse/sync';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { SPLITS, type Sample, type Split } from '../../core/sample.ts';

const HELP = 'Each line needs path and label, and may have split (train, val or test); paths are relative to the file.';

function fail(file: string, line: number, what: string): never {
  throw new PermafrostError('DATASET_LAYOUT', `${file}, line ${line}: ${what} ${HELP}`);
}

interface Entry {
  readonly line: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

function csvSamples(file: string, text: string, sampleOf: (entry: Entry) => Sample): Sample[] {
  try {
    return parse(text, {
      columns: (header: string[]) => header.map((name) => name.trim().toLowerCase()),
      skip_empty_lines: true,
      // Row by row: a million records beside a million samples would be a gigabyte.
      on_record: (fields: Record<string, string>, { lines }) => sampleOf({ line: lines, fields }),
    });
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError('DATASET_LAYOUT', `${file} is no CSV: ${reasonOf(cause)} ${HELP}`, { cause });
  }
}

function jsonlSamples(file: string, text: string, sampleOf: (entry: Entry) => Sample): Sample[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    let fields: unknown;
    try {
      fields = JSON.parse(line);
    } catch (cause) {
      fail(file, i + 1, `No JSON (${reasonOf(cause)}).`);
    }
    if (fields === null || typeof fields !== 'object') fail(file, i + 1, 'No JSON object.');
    return [sampleOf({ line: i + 1, fields: fields as Record<string, unknown> })];
  });
}

/**
 * Reads a data set's list: a CSV with a header, or JSON lines. Samples are in the file's order, paths relative to
 * `root`. `givesSplits`: all have a split, else none has. Throws DATASET_LAYOUT naming the line, DATASET_NOT_FOUND.
 */
export async function readManifestFile(
  file: string,
  root: string = dirname(resolve(file)),
): Promise<{ root: string; samples: Sample[]; hasSplits: boolean; givesSplits: boolean }> {
  const kind = extname(file).toLowerCase();
  if (!['.csv', '.jsonl', '.ndjson'].includes(kind)) {
    throw new PermafrostError('DATASET_LAYOUT', `${file} is a file, and neither a .csv nor a .jsonl. ${HELP}`);
  }
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PermafrostError('DATASET_NOT_FOUND', `${file} cannot be read: ${reasonOf(cause)}.`, { cause });
  });
  const lineOf = new Map<string, number>();
  let splits = 0;
  const sampleOf = ({ line, fields }: Entry): Sample => {
    const { path, label, split = '' } = fields;
    if (typeof path !== 'string' || path === '')
      fail(file, line, `No path (found the fields ${Object.keys(fields).join(', ')}).`);
    if (label === undefined || label === '') fail(file, line, `No label for ${path}.`);
    if (typeof label !== 'string') fail(file, line, `The label of ${path} is ${JSON.stringify(label)}, not a name.`);
    if (split !== '' && !(SPLITS as readonly unknown[]).includes(split)) {
      fail(file, line, `The split is ${JSON.stringify(split)}, not one of ${SPLITS.join(', ')}.`);
    }
    const absolute = isAbsolute(path) ? path : resolve(root, path);
    const clean = relative(root, absolute).split(sep).join('/');
    const twin = lineOf.get(clean);
    if (twin !== undefined) fail(file, line, `${path} stands in line ${twin} already.`);
    lineOf.set(clean, line);
    if (split !== '') splits++;
    return { path: clean, label, split: split === '' ? 'train' : (split as Split) };
  };
  const samples = (kind === '.csv' ? csvSamples : jsonlSamples)(file, text.replace(/^\ufeff/, ''), sampleOf);
  if (splits > 0 && splits < samples.length) {
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${file} gives a split for ${splits} of ${samples.length} images. Give it for all, or for none (permafrost then splits by a seed).`,
    );
  }
  return { root, samples, hasSplits: samples.some((s) => s.split !== 'train'), givesSplits: splits > 0 };
}

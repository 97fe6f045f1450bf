import { isUtf8 } from 'node:buffer';
import { reasonOf } from '../../../core/errors.ts';
import { isHiddenName } from '../left-out-names.ts';
import { trimmed } from '../labels.ts';

/** What stands beside an image in a sample of WebDataset and says something of it. */
export interface Side {
  /** Its class, by what names it: a number or a name. */
  readonly classes: readonly { readonly from: string; readonly value: string | number }[];
  readonly split: string | undefined;
}

/** Fields of a .json that name a class. */
export const CLASS_FIELDS = ['label', 'class', 'cls'];
/** Largest file beside an image that is read, in bytes: a record of facts, no annotations of a whole data set. */
const MOST_SIDE_BYTES = 2 ** 20;

/**
 * A member's sample and what it is of it, as WebDataset parts them: at the first dot of the name behind the last slash.
 * The extension is in lower case, without its dot. Undefined of hidden files.
 */
export function keyOf(path: string): { key: string; extension: string } | undefined {
  const start = path.lastIndexOf('/') + 1;
  const dot = path.indexOf('.', start);
  if (isHiddenName(path.slice(start)) || dot < 0) return undefined;
  return { key: path.slice(0, dot), extension: path.slice(dot + 1).toLowerCase() };
}

/** Whether a member says something of a sample. */
export function isSideFile(path: string, size: number): boolean {
  const extension = keyOf(path)?.extension;
  return (extension === 'cls' || extension === 'json') && size <= MOST_SIDE_BYTES;
}

const isGiven = (value: unknown): value is string | number =>
  typeof value === 'number' || (typeof value === 'string' && trimmed(value) !== '');

/** A number that is written as text is one, too: .cls files hold text. */
const asValue = (text: string): string | number => (/^-?\d+$/.test(trimmed(text)) ? Number(trimmed(text)) : text);

/** Reads a .cls. Throws an Error where it is no text. */
export function sideOfClass(content: Buffer): Side {
  if (!isUtf8(content)) throw new Error('is no UTF-8 text');
  const text = content.toString('utf8');
  return { classes: trimmed(text) === '' ? [] : [{ from: '.cls', value: asValue(text) }], split: undefined };
}

/** Reads a .json; `fields` gets the names of all that it holds. Throws an Error where it is no object. */
export function sideOfJson(content: Buffer, fields: Set<string>): Side {
  let record: unknown;
  try {
    record = JSON.parse(content.toString('utf8'));
  } catch (cause) {
    throw new Error(`is no JSON (${reasonOf(cause)})`, { cause });
  }
  if (record === null || typeof record !== 'object' || Array.isArray(record)) throw new Error('is no JSON object');
  const entries = Object.entries(record).map(([name, value]) => [name.toLowerCase(), value as unknown] as const);
  for (const [name] of entries) fields.add(name);
  const byName = new Map(entries);
  const classes = CLASS_FIELDS.flatMap((field) => {
    const value = byName.get(field);
    if (value === undefined || value === null || value === '') return [];
    if (!isGiven(value)) throw new Error(`has ${JSON.stringify(value)} as ${field}, which is no class`);
    return [{ from: `the ${field} in .json`, value: typeof value === 'string' ? asValue(value) : value }];
  });
  const split = byName.get('split');
  return { classes, split: typeof split === 'string' && trimmed(split) !== '' ? trimmed(split) : undefined };
}

/** What several files beside one image say together. */
export const joined = (a: Side | undefined, b: Side): Side =>
  a === undefined ? b : { classes: [...a.classes, ...b.classes], split: a.split ?? b.split };

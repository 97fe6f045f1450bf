import { few, PermafrostError } from '../../core/errors.ts';
import type { Split } from '../../core/sample.ts';
import { trimmed } from './labels.ts';
import { failInLine, type ListRecord } from './list-records.ts';
import { readAsSplits, splitsNamed } from './split-names.ts';

/** The column of splits, and the names that others give it, which count where all their values are splits. */
const SPLIT_COLUMNS = ['split', 'set', 'subset', 'phase', 'fold', 'usage', 'partition'];
const USED = new Set(['path', 'label']);
/** What other lists call path and label: for the message alone. */
const OTHER_NAMES: Readonly<Record<'path' | 'label', RegExp>> = {
  path: /^(file|image|img|photo|picture)?[ _-]?(file|image|img)?[ _-]?(name|path|id)?s?$/,
  label: /^(labels|class|classes|class[ _-]?(name|id)|category|target|species|breed|tag|y|dx|diagnosis)$/,
};

/** Which field a record lacks, in words: what it has, and which of these is meant perhaps. */
export function lacking(what: 'path' | 'label', fields: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(fields);
  const meant = names.find((name) => name !== '' && !USED.has(name) && OTHER_NAMES[what].test(name));
  const found = `(found the fields ${names.join(', ')}).`;
  if (names.includes(what)) return found;
  return meant === undefined
    ? `${found} The first line of a CSV names its columns.`
    : `${found} If ${meant} is it, call that column ${what}.`;
}

interface Column {
  /** By value: the line where it stands first. Undefined once there are too many to be splits. */
  values: Map<string, number> | undefined;
  /** One a record, of the columns that may give the split. */
  readonly rows: string[];
}

const MOST_VALUES = 20;

/** Gathers what the columns beside path and label hold: which gives the split is known at the end. */
export class SplitColumns {
  readonly #columns = new Map<string, Column>();
  #records = 0;

  add({ line, fields }: ListRecord): void {
    for (const [name, value] of Object.entries(fields)) {
      if (USED.has(name)) continue;
      let column = this.#columns.get(name);
      if (column === undefined) this.#columns.set(name, (column = { values: new Map(), rows: [] }));
      const isKnown = SPLIT_COLUMNS.includes(name);
      const text =
        value === null || value === undefined ? '' : trimmed(typeof value === 'string' ? value : JSON.stringify(value));
      if (isKnown) {
        // JSON lines may leave a field out.
        while (column.rows.length < this.#records) column.rows.push('');
        column.rows.push(text);
      }
      if (text === '' || column.values === undefined || column.values.has(text)) continue;
      column.values.set(text, line);
      if (column.values.size > MOST_VALUES && name !== 'split') column.values = undefined;
    }
    this.#records++;
  }

  /** The split of each record, undefined where none is given. Throws DATASET_LAYOUT for a value that is no split. */
  resolve(file: string, warnings: string[]): (Split | undefined)[] | undefined {
    const splitsOf = (name: string): ReadonlyMap<string, Split> =>
      splitsNamed([...(this.#columns.get(name)?.values?.keys() ?? [])]);
    const fits = (name: string): boolean => {
      const values = this.#columns.get(name)?.values;
      return values !== undefined && values.size > 0 && splitsOf(name).size === values.size;
    };
    const own = this.#columns.get('split')?.values;
    const chosen = own !== undefined && own.size > 0 ? 'split' : SPLIT_COLUMNS.find(fits);
    for (const [name, { values }] of this.#columns) {
      if (name === chosen || name === 'split') continue;
      if (fits(name)) {
        warnings.push(
          chosen === undefined
            ? `${file}: the column ${name} is ignored, but it holds ${few([...values!.keys()])}. If these are the splits, call it split.`
            : `${file}: the columns ${chosen} and ${name} both hold splits; ${chosen} counts.`,
        );
      } else if (SPLIT_COLUMNS.includes(name)) {
        const bad = values === undefined ? undefined : [...values].find(([value]) => !splitsOf(name).has(value));
        const why = bad === undefined ? 'its values are' : `${JSON.stringify(bad[0])} (line ${bad[1]}) is`;
        warnings.push(`${file}: the column ${name} is ignored: ${why} no split (train, val or test).`);
      }
    }
    const unknown = [...this.#columns.keys()].filter((name) => !SPLIT_COLUMNS.includes(name) && !fits(name));
    if (unknown.length > 0)
      warnings.push(
        `${file}: columns that are not used: ${few(
          unknown.map((name) => (name === '' ? '(one without a name)' : name)),
          10,
        )}.`,
      );
    if (chosen === undefined) return undefined;
    const { values, rows } = this.#columns.get(chosen)!;
    const splits = splitsOf(chosen);
    for (const [value, line] of values!) {
      if (!splits.has(value))
        failInLine(file, line, `The split is ${JSON.stringify(value)}, not one of train, val, test.`);
    }
    const read = readAsSplits(splits);
    if (read !== undefined || chosen !== 'split')
      warnings.push(`${file}: the column ${chosen} gives the splits${read === undefined ? '' : `: ${read}`}.`);
    while (rows.length < this.#records) rows.push('');
    const given = rows.map((value) => splits.get(value));
    const count = given.filter((split) => split !== undefined).length;
    if (count < given.length) {
      throw new PermafrostError(
        'DATASET_LAYOUT',
        `${file} gives a split for ${count} of ${given.length} images. Give it for all, or for none (permafrost then splits by a seed).`,
      );
    }
    return given;
  }
}

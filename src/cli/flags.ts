import { PermafrostError } from '../core/errors.ts';
import { booleanOption, flagOf, type OptionSpec, type OptionTable } from '../core/options.ts';
import { VIEW_OPTIONS } from '../extract/image/view-parameters.ts';
import { QUEUED_OPTIONS } from '../workflows/machines/queue/options.ts';
import { ENGINE_OPTIONS } from '../workflows/network/engine-options.ts';

/** Headings of a command's help, and the options that stand under each. What is under none comes first. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'Network:': [...Object.keys(ENGINE_OPTIONS), 'minCosine', 'batch', 'weights', 'backboneFile'],
  'One part of a plan for several machines:': ['plan', 'part', 'first', 'root'],
  'Many machines on a queue:': Object.keys(QUEUED_OPTIONS),
  'Augmented views:': ['views', 'viewSeed', ...Object.keys(VIEW_OPTIONS)],
  'Every command:': ['json', 'quiet'],
};

function parseNumber(key: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) {
    throw new PermafrostError('OPTION_INVALID', `${flagOf(key)} takes a number, got "${text}".`);
  }
  return value;
}

/** A flag as it is parsed and as the help shows it. */
export interface Flag {
  /** In commander's notation: `-k, --neighbors <number>`. */
  readonly notation: string;
  readonly describe: string;
  /** The heading of the help that it stands under; undefined for the first. */
  readonly group: string | undefined;
  /** Reads its value; undefined where the text is the value. Throws OPTION_INVALID. */
  readonly parse: ((text: string) => number) | undefined;
}

function flagFor(key: string, spec: OptionSpec<unknown>, short?: string): Flag {
  const name = [short, flagOf(key)].filter(Boolean).join(', ');
  const group = groupOf(key);
  if (spec.kind === 'boolean') {
    const [notation, describe] =
      spec.default === true ? [name.replace('--', '--no-'), `do not ${spec.describe}`] : [name, spec.describe];
    return { notation, describe, group, parse: undefined };
  }
  const value = spec.kind === 'number' ? '<number>' : spec.choices ? '<name>' : '<value>';
  const choices = spec.choices && spec.choices.length <= 8 ? `: ${spec.choices.join(', ')}` : '';
  const fallback = spec.default === '' ? '' : ` (default ${String(spec.default)})`;
  const parse = spec.kind === 'number' ? (text: string) => parseNumber(key, text) : undefined;
  return { notation: `${name} ${value}`, describe: `${spec.describe}${choices}${fallback}`, group, parse };
}

function groupOf(key: string): string | undefined {
  return Object.keys(GROUPS).find((name) => GROUPS[name]!.includes(key));
}

const COMMON: OptionTable = {
  json: booleanOption(false, 'one JSON document on stdout and nothing else'),
  quiet: booleanOption(false, 'no progress and no remarks on stderr'),
};

/** The flags of a table, in its order, and those that every command takes. `short`: letters such as `-k`. */
export function flagsOf(table: OptionTable, short: Readonly<Record<string, string>> = {}): Flag[] {
  return Object.entries({ ...table, ...COMMON }).map(([key, spec]) => flagFor(key, spec, short[key]));
}

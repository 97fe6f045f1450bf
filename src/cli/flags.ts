import { Option } from 'commander';
import { PermafrostError } from '../core/errors.ts';
import { flagOf, type OptionSpec, type OptionTable } from '../core/options.ts';
import { VIEW_OPTIONS } from '../extract/image/view-parameters.ts';
import { ENGINE_OPTIONS } from '../workflows/network/engine-options.ts';

/** Headings of a command's help, and the options that stand under each. What is under none comes first. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'Network:': [...Object.keys(ENGINE_OPTIONS), 'minCosine', 'batch', 'weights'],
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

function describedFlag(key: string, spec: OptionSpec<unknown>, short?: string): Option {
  const flag = [short, flagOf(key)].filter(Boolean).join(', ');
  if (spec.kind === 'boolean') {
    return spec.default === true
      ? new Option(flag.replace('--', '--no-'), `do not ${spec.describe}`)
      : new Option(flag, spec.describe);
  }
  const value = spec.kind === 'number' ? '<number>' : spec.choices ? '<name>' : '<value>';
  const choices = spec.choices && spec.choices.length <= 8 ? `: ${spec.choices.join(', ')}` : '';
  const fallback = spec.default === '' ? '' : ` (default ${String(spec.default)})`;
  const option = new Option(`${flag} ${value}`, `${spec.describe}${choices}${fallback}`);
  return spec.kind === 'number' ? option.argParser((text) => parseNumber(key, text)) : option;
}

function grouped(key: string, option: Option): Option {
  const heading = Object.keys(GROUPS).find((name) => GROUPS[name]!.includes(key));
  return heading === undefined ? option : option.helpGroup(heading);
}

/** Commander's options of a table, in its order, and those that every command takes. `short`: letters such as `-k`. */
export function flagsOf(table: OptionTable, short: Readonly<Record<string, string>> = {}): Option[] {
  return [
    ...Object.entries(table).map(([key, spec]) => grouped(key, describedFlag(key, spec, short[key]))),
    grouped('json', new Option('--json', 'one JSON document on stdout and nothing else')),
    grouped('quiet', new Option('--quiet', 'no progress and no remarks on stderr')),
  ];
}

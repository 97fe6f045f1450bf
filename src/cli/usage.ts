import type { Command, CommanderError } from 'commander';
import { PermafrostError } from '../core/errors.ts';
import { nearestName, suggest } from '../core/suggest.ts';
import type { CommandSpec } from './program.ts';

/** What people of other tools type, and how it is called here. */
const INSTEAD: Readonly<Record<string, string>> = {
  version: '--version',
  classify: 'predict',
  label: 'predict',
  fit: 'train',
  similar: 'neighbors',
  search: 'neighbors',
  duplicates: 'check',
  info: 'inspect',
  clean: 'gc',
  upgrade: 'migrate',
  serve: 'studio',
  ui: 'studio',
  gui: 'studio',
};

function unknownCommand(name: string, names: readonly string[]): string {
  const hint = Object.hasOwn(INSTEAD, name) ? ` (did you mean "${INSTEAD[name]}"?)` : suggest(name, names);
  const absent = name === 'completion' ? ' Shells are not given completions.' : '';
  return `there is no command "${name}"${hint}.${absent} Commands: ${names.join(', ')}.`;
}

const withoutDashes = (flag: string): string => flag.replace(/^-+/, '');

function unknownFlag(word: string, command: Command): string {
  const known = ['--help', ...command.options.flatMap(({ long, short }) => [long, short])];
  const flags = known.filter((flag) => flag !== undefined && flag !== null);
  // Without dashes, which all have in common: else "--foo" would be near to "--zoom".
  const near = nearestName(withoutDashes(word), flags.map(withoutDashes));
  const hint = near === undefined ? '' : ` (did you mean "${flags.find((flag) => withoutDashes(flag) === near)}"?)`;
  return `unknown option "${word}"${hint}.`;
}

/** What a command line was that commander refused, in permafrost's words. `command`: the one that was asked for. */
export function usageError(
  cause: CommanderError,
  command: Command,
  spec: CommandSpec | undefined,
  names: readonly string[],
): PermafrostError {
  const said = cause.message.replace(/^error: /, '');
  const quoted = /'([^']*)'/.exec(said)?.[1] ?? '';
  const describe = spec?.arguments.find(([notation]) => notation.replace(/[^\w-]/g, '') === quoted)?.[1];
  const owner = spec === undefined ? '' : `${spec.name}: `;
  const help = `See "permafrost ${spec === undefined ? '' : `${spec.name} `}--help".`;
  const what = {
    'commander.unknownCommand': unknownCommand(quoted, names),
    'commander.unknownOption': unknownFlag(quoted, command),
    'commander.missingArgument': `missing required argument '${quoted}'${describe === undefined ? '' : ` (${describe})`}.`,
    'commander.optionMissingArgument': `the option ${quoted} needs a value, and none follows.`,
  }[cause.code];
  return new PermafrostError('OPTION_INVALID', `${owner}${what ?? `${said.replace(/\.?$/, '')}.`} ${help}`, { cause });
}

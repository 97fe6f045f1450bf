import { PermafrostError } from '../core/errors.ts';
import { nearestName, suggest } from '../core/suggest.ts';

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

function unknownFlag(word: string, known: readonly string[]): string {
  // Without dashes, which all have in common: else "--foo" would be near to "--zoom".
  const near = nearestName(withoutDashes(word), known.map(withoutDashes));
  const hint = near === undefined ? '' : ` (did you mean "${known.find((flag) => withoutDashes(flag) === near)}"?)`;
  return `unknown option "${word}"${hint}.`;
}

/** What the parser refused. */
export interface Refused {
  /** The parser's error: its code, and its message in its own words, with names in single quotes. */
  readonly cause: { readonly code: string; readonly message: string };
  /** The command that was asked for, where it is one. */
  readonly command: { readonly name: string; readonly arguments: readonly (readonly [string, string])[] } | undefined;
  /** Flags that may stand there. */
  readonly flags: readonly string[];
  /** The names of all commands. */
  readonly names: readonly string[];
}

/** What a refused command line was, in permafrost's words. */
export function usageError({ cause, command, flags, names }: Refused): PermafrostError {
  const said = cause.message.replace(/^error: /, '');
  const quoted = /'([^']*)'/.exec(said)?.[1] ?? '';
  const describe = command?.arguments.find(([notation]) => notation.replace(/[^\w-]/g, '') === quoted)?.[1];
  const owner = command === undefined ? '' : `${command.name}: `;
  const help = `See "permafrost ${command === undefined ? '' : `${command.name} `}--help".`;
  const what = {
    'commander.unknownCommand': unknownCommand(quoted, names),
    'commander.unknownOption': unknownFlag(quoted, flags),
    'commander.missingArgument': `missing required argument '${quoted}'${describe === undefined ? '' : ` (${describe})`}.`,
    'commander.optionMissingArgument': `the option ${quoted} needs a value, and none follows.`,
  }[cause.code];
  return new PermafrostError('OPTION_INVALID', `${owner}${what ?? `${said.replace(/\.?$/, '')}.`} ${help}`, { cause });
}

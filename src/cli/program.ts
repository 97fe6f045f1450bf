import { Command, CommanderError, Option } from 'commander';
import { PermafrostError } from '../core/errors.ts';
import { flagOf, type OptionTable } from '../core/options.ts';
import type { Listener } from '../core/listener.ts';

/** What a command gets from main: flags common to all, and where to tell things. */
export interface CommandContext {
  readonly signal: AbortSignal;
  readonly listener: Listener;
  /** Prints at once what a command that goes on has to say: the document with `--json`, otherwise the text. */
  readonly announce: (json: unknown, text: string) => void;
}

/** What a command gives back to main: what `--json` prints, its text for people, and how many images failed. */
export interface Outcome {
  /** Undefined where `announce` has printed the one document. */
  readonly json: unknown;
  readonly text: string;
  readonly failed?: number;
  /** False where the command did its work and the answer is bad: a damaged store. Default true. */
  readonly ok?: boolean;
}

type Flags = Readonly<Record<string, unknown>>;

/** One command: its flags come from option tables, `act` makes one workflow call and one report. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments in commander's notation: `<store>`, `[images...]`. */
  readonly arguments: readonly (readonly [notation: string, describe: string])[];
  readonly options: OptionTable;
  /** Text after the flags in the command's help. */
  readonly more?: string;
  readonly act: (args: readonly unknown[], flags: Flags, context: CommandContext) => Promise<Outcome>;
}

function optionFor(key: string, spec: OptionTable[string]): Option {
  const flag = flagOf(key);
  if (spec.kind === 'boolean') {
    return new Option(spec.default === true ? flag.replace('--', '--no-') : flag, spec.describe);
  }
  const value = spec.kind === 'number' ? '<number>' : spec.choices ? '<name>' : '<value>';
  const choices = spec.choices && spec.choices.length <= 8 ? `: ${spec.choices.join(', ')}` : '';
  const fallback = spec.default === '' ? '' : ` (default ${String(spec.default)})`;
  const option = new Option(`${flag} ${value}`, `${spec.describe}${choices}${fallback}`);
  return spec.kind === 'number' ? option.argParser((text) => parseNumber(key, text)) : option;
}

function parseNumber(key: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) {
    throw new PermafrostError('OPTION_INVALID', `${flagOf(key)} takes a number, got "${text}".`);
  }
  return value;
}

/** The flags that belong to `table`; those that were not given are left out. */
export function pick(flags: Flags, table: OptionTable): Flags {
  return Object.fromEntries(
    Object.entries(flags).filter(([key, value]) => Object.hasOwn(table, key) && value !== undefined),
  );
}

export type Request =
  | {
      readonly kind: 'run';
      readonly spec: CommandSpec;
      readonly args: readonly unknown[];
      readonly flags: Flags;
    }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'usage'; readonly message: string };

/** Reads argv (without node and script). Never prints and never exits. */
export function parseArguments(argv: readonly string[], specs: readonly CommandSpec[], version: string): Request {
  let request: Request | undefined;
  let written = '';
  const configure = (command: Command): Command =>
    command
      .exitOverride()
      .configureOutput({ writeOut: (text) => (written += text), writeErr: (text) => (written += text) });
  const program = configure(new Command('permafrost'))
    .description('Frozen backbone, permanent features, many heads: extract once, train many heads quickly.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nEvery command takes --json (one JSON document on stdout) and --quiet.\nExit codes: 0 done, 1 failed, 2 usage, 3 done but some images failed, 130 interrupted.',
    );
  for (const spec of specs) {
    const command = configure(program.command(spec.name)).description(spec.summary).showSuggestionAfterError();
    for (const [notation, describe] of spec.arguments) command.argument(notation, describe);
    for (const [key, option] of Object.entries(spec.options)) command.addOption(optionFor(key, option));
    command
      .option('--json', 'one JSON document on stdout and nothing else')
      .option('--quiet', 'no progress and no remarks on stderr');
    if (spec.more !== undefined) command.addHelpText('after', `\n${spec.more}`);
    command.action((...given: unknown[]) => {
      const args = given.slice(0, spec.arguments.length);
      request = { kind: 'run', spec, args, flags: command.opts() };
    });
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof PermafrostError) return { kind: 'usage', message: error.message };
    if (!(error instanceof CommanderError)) throw error;
    const askedFor = ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code);
    return askedFor && argv.length > 0
      ? { kind: 'help', text: written }
      : { kind: 'usage', message: written.trimEnd() };
  }
  return request ?? { kind: 'usage', message: program.helpInformation() };
}

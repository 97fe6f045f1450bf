import { Command, CommanderError, Option } from 'commander';
import { PermafrostError } from '../core/errors.ts';
import type { OptionTable } from '../core/options.ts';
import type { Listener } from '../core/listener.ts';
import type { CommandName, Documents } from '../results/documents.ts';
import { flagsOf, type Flag } from './flags.ts';
import { usageError } from './usage.ts';

/** What a command gets from main: flags common to all, and where to tell things. */
export interface CommandContext<Name extends CommandName = CommandName> {
  readonly signal: AbortSignal;
  readonly listener: Listener;
  /** `--take-over` of the commands that have it. */
  readonly takeOver?: boolean;
  /** Prints at once what a command that goes on has to say: a document with `--json`, otherwise the text. */
  readonly announce: (json: Documents[Name], text: string) => void;
  /** Prints at once what is no document, on standard output. */
  readonly print: (text: string) => void;
}

/** What a command gives back to main: what `--json` prints, its text for people, and how many images failed. */
export interface Outcome<Name extends CommandName = CommandName> {
  /** Undefined where `announce` has printed the document. */
  readonly json: Documents[Name] | undefined;
  readonly text: string;
  readonly failed?: number;
  /** False where the command did its work and the answer is bad: a damaged store. Default true. */
  readonly ok?: boolean;
}

type Flags = Readonly<Record<string, unknown>>;

interface Spec<Name extends CommandName> {
  readonly name: Name;
  readonly summary: string;
  /** Positional arguments in commander's notation: `<store>`, `[images...]`. */
  readonly arguments: readonly (readonly [notation: string, describe: string])[];
  readonly options: OptionTable;
  /** Letters of options that have one beside their name: `{ neighbors: '-k' }`. */
  readonly short?: Readonly<Record<string, string>>;
  /** Text after the flags in the command's help. */
  readonly more?: string;
  /** Whether `--json` prints documents as things happen, each on a line of its own. Default: it prints one document. */
  readonly isStream?: (flags: Flags) => boolean;
  readonly act: (args: readonly unknown[], flags: Flags, context: CommandContext<Name>) => Promise<Outcome<Name>>;
}

/**
 * One command: its flags come from option tables, `act` makes one workflow call and one report. What it prints with
 * `--json` has the type that `Documents` says under its name.
 */
export type CommandSpec = { [Name in CommandName]: Spec<Name> }[CommandName];

export type Request =
  | {
      readonly kind: 'run';
      readonly spec: CommandSpec;
      readonly args: readonly unknown[];
      readonly flags: Flags;
    }
  | { readonly kind: 'help'; readonly text: string }
  /** Wrong usage; `help` stands before the message where nothing was asked for. */
  | { readonly kind: 'usage'; readonly error: PermafrostError; readonly help: string };

function optionOf({ notation, describe, group, parse }: Flag): Option {
  const option = new Option(notation, describe);
  if (group !== undefined) option.helpGroup(group);
  return parse === undefined ? option : option.argParser(parse);
}

/** The program with a command for each spec; `chosen` is told what is to run. */
function commanderProgram(
  specs: readonly CommandSpec[],
  version: string,
  write: (text: string) => void,
  chosen: (request: Request) => void,
): Command {
  // What is wrong is said by usageError, not by commander.
  const configure = (command: Command): Command =>
    command
      .exitOverride()
      .configureOutput({ writeOut: write, outputError: () => {} })
      .showSuggestionAfterError(false);
  const program = configure(new Command('permafrost'))
    .description('Frozen backbone, permanent features, many heads: extract once, train many heads quickly.')
    .version(version, '-V, --version')
    .addHelpText(
      'after',
      '\nEvery command takes --json (one JSON document on stdout; of a queue a line each; docs/json.md) and --quiet.\nExit codes: 0 done, 1 failed, 2 usage, 3 done but some images failed, 130 interrupted.',
    );
  for (const spec of specs) {
    const command = configure(program.command(spec.name)).description(spec.summary);
    for (const [notation, describe] of spec.arguments) command.argument(notation, describe);
    for (const flag of flagsOf(spec.options, spec.short)) command.addOption(optionOf(flag));
    if (spec.more !== undefined) command.addHelpText('after', `\n${spec.more}`);
    command.action((...given: unknown[]) => {
      chosen({ kind: 'run', spec, args: given.slice(0, spec.arguments.length), flags: command.opts() });
    });
  }
  return program;
}

/** Reads argv (without node and script). Never prints and never exits. */
export function parseArguments(argv: readonly string[], specs: readonly CommandSpec[], version: string): Request {
  let request: Request | undefined;
  let written = '';
  const program = commanderProgram(
    specs,
    version,
    (text) => (written += text),
    (asked) => (request = asked),
  );
  const word = argv.find((argument) => !argument.startsWith('-'));
  const spec = specs.find(({ name }) => name === word);
  if (word === undefined && !argv.some((flag) => !['--json', '--quiet'].includes(flag))) {
    const error = new PermafrostError('OPTION_INVALID', 'a command is missing, such as "permafrost run DATASET".');
    return { kind: 'usage', error, help: program.helpInformation() };
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof PermafrostError) {
      const message = spec === undefined ? error.message : `${spec.name}: ${error.message}`;
      return { kind: 'usage', error: new PermafrostError(error.code, message, { cause: error }), help: '' };
    }
    if (!(error instanceof CommanderError)) throw error;
    if (['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code)) {
      return { kind: 'help', text: written };
    }
    const { options } = program.commands.find((one) => one.name() === spec?.name) ?? program;
    const flags = ['--help', ...options.flatMap(({ long, short }) => [long, short])].filter(
      (flag) => typeof flag === 'string',
    );
    const names = specs.map(({ name }) => name);
    return { kind: 'usage', error: usageError({ cause: error, command: spec, flags, names }), help: '' };
  }
  return request!;
}

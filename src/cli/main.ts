#!/usr/bin/env node
import { PermafrostError, reasonOf } from '../core/errors.ts';
import { printableLines } from '../report/printable.ts';
import { VERSION } from '../workflows/version.ts';
import type { CommandName, ErrorDocument } from '../results/documents.ts';
import { COMMANDS } from './commands/index.ts';
import { schemaOf } from './documents.ts';
import { parseArguments, type Request } from './program.ts';
import { terminalListener } from './progress-line.ts';

const EXIT = { done: 0, failed: 1, usage: 2, someImagesFailed: 3, interrupted: 130 } as const;

/** Ctrl-C once ends the work cleanly, as do SIGTERM and a terminal that is closed; twice ends the process. */
function interruptible(): AbortController {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A closed terminal may tell it twice: by itself, and by the shell in it.
      if (controller.signal.aborted && signal !== 'SIGHUP') process.exit(EXIT.interrupted);
      controller.abort();
    });
  }
  return controller;
}

function exitCodeOf(error: unknown): number {
  if (!(error instanceof PermafrostError)) return EXIT.failed;
  if (error.code === 'OPTION_INVALID') return EXIT.usage;
  return error.code === 'INTERRUPTED' ? EXIT.interrupted : EXIT.failed;
}

/** Prints a document that says which schema it has; `indent` 0 is a line. */
function writeJson(name: CommandName | 'error', value: object, indent: 0 | 1): void {
  process.stdout.write(`${JSON.stringify({ schema: schemaOf(name), ...value }, null, indent)}\n`);
}

/** Says what went wrong: on stderr for people, and with `--json` as a document of one line, fit for any stream. */
function writeError(error: unknown, asJson: boolean): void {
  const code = error instanceof PermafrostError ? error.code : 'INTERNAL';
  // What is no PermafrostError is a fault of permafrost's own: its stack is what a report of it needs.
  const detail = error instanceof PermafrostError ? error.message : ((error as Error)?.stack ?? reasonOf(error));
  process.stderr.write(`permafrost: ${printableLines(detail)} [${code}]\n`);
  if (asJson) writeJson('error', { error: { code, message: reasonOf(error) } } satisfies ErrorDocument, 0);
}

async function execute({ spec, args, flags }: Request & { kind: 'run' }): Promise<number> {
  const listener = terminalListener(process.stderr, flags.quiet === true);
  const indent = spec.isStream?.(flags) === true ? 0 : 1;
  try {
    const announce = (document: object, text: string): void => {
      listener.clear();
      if (flags.json === true) writeJson(spec.name, document, indent);
      else process.stdout.write(text);
    };
    const print = (text: string): void => {
      listener.clear();
      process.stdout.write(text);
    };
    const { signal } = interruptible();
    const takeOver = flags.takeOver === true;
    const outcome = await spec.act(args, flags, { signal, listener, announce, print, takeOver });
    listener.clear();
    if (flags.json === true) {
      if (outcome.json !== undefined) writeJson(spec.name, outcome.json, indent);
    } else process.stdout.write(outcome.text);
    if (outcome.ok === false) return EXIT.failed;
    return (outcome.failed ?? 0) > 0 ? EXIT.someImagesFailed : EXIT.done;
  } catch (error) {
    listener.clear();
    writeError(error, flags.json === true);
    return exitCodeOf(error);
  }
}

async function main(): Promise<number> {
  // A reader that closes the pipe early (head, less) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
  );
  const argv = process.argv.slice(2);
  const request = parseArguments(argv, COMMANDS, VERSION);
  switch (request.kind) {
    case 'help':
      process.stdout.write(request.text);
      return EXIT.done;
    case 'usage': {
      const asJson = argv.includes('--json');
      if (request.help !== '' && !asJson) process.stderr.write(`${request.help}\n`);
      writeError(request.error, asJson);
      return EXIT.usage;
    }
    case 'run':
      return execute(request);
  }
}

process.exitCode = await main();

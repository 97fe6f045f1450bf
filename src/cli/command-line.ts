import { PermafrostError, reasonOf } from '../core/errors.ts';
import { printableLines } from '../report/printable.ts';
import { VERSION } from '../workflows/version.ts';
import type { CommandName, ErrorDocument } from '../results/documents.ts';
import { COMMANDS } from './commands/index.ts';
import { schemaOf } from './documents.ts';
import { fewOpenFiles } from './open-files.ts';
import { parseArguments, type Request } from './program.ts';
import { terminalListener } from './progress-line.ts';
import { interruptible } from './signals.ts';
import { isReaderGone, standardOutput } from './streams.ts';

const EXIT = { done: 0, failed: 1, usage: 2, someImagesFailed: 3, interrupted: 130 } as const;

/** What is no PermafrostError is a fault of permafrost's own. */
const codeOf = (error: unknown): ErrorDocument['error']['code'] =>
  error instanceof PermafrostError ? error.code : 'INTERNAL';

/** What the system answers where it may not, or cannot, do what it is asked: no fault of permafrost's own. */
const REFUSED = ['EROFS', 'EACCES', 'EPERM', 'EIO', 'ENOSPC', 'EDQUOT'];

/** What is no PermafrostError, but comes of the machine, as one. */
function inWords(error: unknown): unknown {
  if (error instanceof PermafrostError) return error;
  const few = fewOpenFiles(error);
  if (few !== undefined) return new PermafrostError('PACKAGE_MISSING', few, { cause: error });
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined || !REFUSED.includes(code)) return error;
  return new PermafrostError(
    'STORE_WRITE',
    `${reasonOf(error)}. Make room or give permission, then run the same command again.`,
    { cause: error },
  );
}

function exitCodeOf(error: unknown): number {
  const code = codeOf(error);
  if (code === 'OPTION_INVALID') return EXIT.usage;
  return code === 'INTERRUPTED' ? EXIT.interrupted : EXIT.failed;
}

const isSuccess = (code: number): boolean => code === EXIT.done || code === EXIT.someImagesFailed;

/** True once a command writes its answers to standard output as they come: without a reader it has nothing to do. */
let isStreaming = false;
const controller = interruptible(() => process.exit(EXIT.interrupted));
const output = standardOutput(EXIT.failed, isSuccess, () => isStreaming && controller.abort());

/** Prints a document that says which schema it has; `indent` 0 is a line. */
function writeJson(name: CommandName | 'error', value: object, indent: 0 | 1): void {
  output.write(`${JSON.stringify({ schema: schemaOf(name), ...value }, null, indent)}\n`);
}

/** Says what went wrong: on stderr for people, and with `--json` as a document of one line, fit for any stream. */
function writeError(error: unknown, asJson: boolean): void {
  const code = codeOf(error);
  // Of a fault of permafrost's own its stack is what a report of it needs.
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
      else output.write(text);
    };
    const print = (text: string): void => {
      listener.clear();
      output.write(text);
      isStreaming = true;
      if (output.problem !== undefined) controller.abort();
    };
    const { signal } = controller;
    const takeOver = flags.takeOver === true;
    const outcome = await spec.act(args, flags, { signal, listener, announce, print, takeOver });
    listener.clear();
    if (flags.json === true) {
      if (outcome.json !== undefined) writeJson(spec.name, outcome.json, indent);
    } else output.write(outcome.text);
    if (outcome.ok === false) return EXIT.failed;
    return (outcome.failed ?? 0) > 0 ? EXIT.someImagesFailed : EXIT.done;
  } catch (thrown) {
    const error = inWords(thrown);
    listener.clear();
    // Whoever read the answers has seen enough of them.
    if (isStreaming && output.problem && isReaderGone(output.problem) && codeOf(error) === 'INTERRUPTED')
      return EXIT.done;
    writeError(error, flags.json === true);
    return exitCodeOf(error);
  }
}

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  const request = parseArguments(argv, COMMANDS, VERSION);
  switch (request.kind) {
    case 'help':
      output.write(request.text);
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

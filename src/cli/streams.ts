import { reasonOf } from '../core/errors.ts';

/** Standard output as a command uses it. */
export interface StandardOutput {
  write(text: string): void;
  /** Why nothing can be written any more; undefined as long as all was. */
  readonly problem: NodeJS.ErrnoException | undefined;
}

/** A reader that closes the pipe early (head, less) or a terminal is no failure; a full disk behind `>` is. */
export const isReaderGone = ({ code }: NodeJS.ErrnoException): boolean =>
  code === 'EPIPE' || (code === 'EIO' && process.stdout.isTTY);

/**
 * Takes care of standard output and error that are closed or go away while a command works: neither ends the work nor
 * changes what it exits with. What could not be written to a file makes a success a failure (`failed`). `onProblem` is
 * called once, when nothing can be written to standard output any more.
 */
export function standardOutput(
  failed: number,
  isSuccess: (code: number) => boolean,
  onProblem: () => void,
): StandardOutput {
  let problem: NodeJS.ErrnoException | undefined;
  // Nobody reads it: what is said there is lost, and nothing else.
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (problem !== undefined) return;
    problem = error;
    if (!isReaderGone(error))
      process.stderr.write(`permafrost: standard output cannot be written: ${reasonOf(error)}.\n`);
    onProblem();
  });
  process.on('exit', (code) => {
    if (problem !== undefined && !isReaderGone(problem) && isSuccess(code)) process.exitCode = failed;
  });
  return {
    write: (text) => void process.stdout.write(text),
    get problem() {
      return problem;
    },
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PermafrostError } from '../../core/errors.ts';

/** How a program ended that did not end well. */
export class ProgramError extends Error {
  /** True where there is no such program. */
  readonly missing: boolean;

  constructor(message: string, missing: boolean) {
    super(message);
    this.name = 'ProgramError';
    this.missing = missing;
  }
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Ends the program and what it started. */
  readonly signal?: AbortSignal | undefined;
}

/** Characters of a failed program's output that its error repeats: the last ones, where the reason stands. */
const TAIL = 600;

/** A program's standard output. Rejects with a ProgramError that has the end of the output, or with INTERRUPTED. */
export async function runProgram(
  command: string,
  args: readonly string[],
  { cwd, env = process.env, signal }: ProgramOptions = {},
): Promise<string> {
  const interrupted = (): PermafrostError =>
    new PermafrostError('INTERRUPTED', `${command} was interrupted.`, { cause: signal?.reason });
  if (signal?.aborted) throw interrupted();
  const onWindows = process.platform === 'win32';
  const child = spawn(command, args, {
    ...(cwd !== undefined && { cwd }),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that an abort reaches the compiler that make started. npm on Windows needs a shell.
    detached: !onWindows,
    shell: onWindows && command === 'npm',
  });
  const output = { stdout: '', all: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    output.all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.all += text));
  const stop = (): void => {
    if (onWindows || child.pid === undefined) child.kill();
    else process.kill(-child.pid);
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (signal?.aborted) throw interrupted();
    if (code !== 0) {
      const said = output.all.trim().slice(-TAIL);
      throw new ProgramError(`"${command} ${args[0] ?? ''}" failed: ${said}`, false);
    }
    return output.stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new ProgramError(`there is no program "${command}"`, true);
    }
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

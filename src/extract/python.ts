import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PermafrostError, reasonOf } from '../core/errors.ts';

/** What a Python command left. */
export interface PythonOutcome {
  readonly code: number | null;
  readonly stderr: string;
}

const COMMANDS = ['python3', 'python'] as const;

/**
 * Runs the PATH's Python with these arguments (a module of its own such as pip, never code of permafrost's) and waits for its end.
 * Undefined where there is no Python. Throws INTERRUPTED when `signal` is aborted: the Python is ended then.
 */
export async function runPython(
  args: readonly string[],
  signal?: AbortSignal,
): Promise<PythonOutcome | undefined> {
  for (const command of COMMANDS) {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...(signal && { signal }) });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    try {
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, stderr };
    } catch (error) {
      if (signal?.aborted) {
        throw new PermafrostError('INTERRUPTED', 'Interrupted; nothing was installed.', { cause: error });
      }
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw new PermafrostError('ENGINE_UNAVAILABLE', `${command} does not start: ${reasonOf(error)}.`, {
          cause: error,
        });
      }
    }
  }
  return undefined;
}

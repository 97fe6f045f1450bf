import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServeResult } from '../../src/results/serve-result.ts';
import { checkedDocuments } from './json-documents.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The built service as a process of its own. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  /** What it printed when it was ready. */
  readonly announced: ServeResult;
  /** What it wrote on stderr so far. */
  readonly stderr: () => string;
  /** Ends it; gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `permafrost serve` and waits until it is ready. Throws with its stderr where it ends before. */
export async function startService(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [MAIN, 'serve', ...args, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const announced = await new Promise<ServeResult>((resolve, reject) => {
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.endsWith('}\n')) resolve(checkedDocuments('serve', stdout)[0] as ServeResult);
    });
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}: ${stderr}`)));
  });
  return {
    child,
    announced,
    stderr: () => stderr,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null) return child.exitCode;
      const ended = once(child, 'exit') as Promise<[number | null]>;
      child.kill(signal);
      return (await ended)[0];
    },
  };
}

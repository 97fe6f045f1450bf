import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { checkedDocuments } from './json-documents.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What a command did. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Arguments of node itself. */
  readonly node?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the running process. */
  readonly during?: (child: ChildProcess) => void;
}

/**
 * Runs the built program as a user does: a process of its own, its output in pipes. Where it ends by itself, what it
 * printed with `--json` is checked against the schemas.
 */
export async function permafrost(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  const { cwd, node = [], env = {}, during } = options;
  const child = spawn(process.execPath, [...node, MAIN, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  }
  during?.(child);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== null && args.includes('--json') && !args.includes('--help'))
    checkedDocuments(args.find((word) => !word.startsWith('-')) ?? 'error', output.stdout);
  return { code, ...output };
}

/** The one JSON document on a finished command's stdout. */
export function document<T = Record<string, unknown>>({ stdout }: Finished): T {
  return JSON.parse(stdout) as T;
}

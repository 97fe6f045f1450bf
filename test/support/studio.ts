import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { raw } from './http.ts';
import { checkedDocuments } from './json-documents.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The built studio as a process of its own. */
export interface StudioProcess {
  readonly child: ChildProcess;
  /** The address that it printed, with the token. */
  readonly address: string;
  readonly port: number;
  readonly token: string;
  /** What it wrote on stderr so far. */
  readonly stderr: () => string;
  /** Ends it as Ctrl-C does; gives its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts `permafrost studio` and waits until it has printed its address. Throws with its stderr where it ends before.
 */
export async function startStudio(store: string, ...flags: string[]): Promise<StudioProcess> {
  const child = spawn(process.execPath, [MAIN, 'studio', store, '--json', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const { address, port } = await new Promise<{ address: string; port: number }>((resolve, reject) => {
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.trimEnd().endsWith('}'))
        resolve(checkedDocuments('studio', stdout)[0] as { address: string; port: number });
    });
    child.once('exit', (code) => reject(new Error(`the studio ended with ${code}: ${stderr}`)));
  });
  return {
    child,
    address,
    port,
    token: new URL(address).searchParams.get('token')!,
    stderr: () => stderr,
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      const ended = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGINT');
      return (await ended)[0];
    },
  };
}

/**
 * A JSON answer of the API, asked with the token as a program does. Throws with the answer's text where the status is
 * 400 or more.
 */
export async function api<T>(studio: StudioProcess, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await raw(studio.port, {
    method,
    path,
    headers: { authorization: `Bearer ${studio.token}` },
    ...(body !== undefined && {
      body: body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body)),
    }),
  });
  if (answer.status >= 400) throw new Error(`${answer.status}: ${answer.body.toString()}`);
  return JSON.parse(answer.body.toString()) as T;
}

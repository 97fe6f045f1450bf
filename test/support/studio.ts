import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
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

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RawRequest {
  readonly method?: string;
  /** Sent as it is: nothing tidies dots or percents. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The status of an answer that did not come, because the connection was closed while the body was sent. */
export const CUT = 0;

/** One request without anything that a browser or fetch would add or refuse. */
export async function raw(port: number, { method = 'GET', path, headers = {}, body }: RawRequest): Promise<RawAnswer> {
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
  const answered = new Promise<RawAnswer>((resolve, reject) => {
    // A server that refuses the rest of a body closes the connection; which of the two a client meets first is chance.
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (['EPIPE', 'ECONNRESET'].includes(error.code ?? ''))
        resolve({ status: CUT, headers: {}, body: Buffer.alloc(0) });
      else reject(error);
    });
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('close', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
  });
  if (body === undefined) sent.end();
  else if (body instanceof Uint8Array) sent.end(body);
  else {
    sent.flushHeaders();
    let refused = false;
    const over = answered.then(
      () => (refused = true),
      () => (refused = true),
    );
    for await (const chunk of body) {
      if (refused || sent.destroyed) break;
      if (!sent.write(chunk)) await Promise.race([once(sent, 'drain').catch(() => undefined), over]);
    }
    if (!sent.destroyed) sent.end();
  }
  return answered;
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

import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';

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

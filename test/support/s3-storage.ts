import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the SDK is told of a storage: no file, profile or metadata service of the machine is asked. */
export const s3Environment = (endpoint: string): Readonly<Record<string, string>> => ({
  AWS_ENDPOINT_URL_S3: endpoint,
  AWS_ACCESS_KEY_ID: 'testkey',
  AWS_SECRET_ACCESS_KEY: 'testsecret',
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
  AWS_CONFIG_FILE: '/nowhere',
});

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // It ends with the process of the tests.
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const etagOf = (bytes: Uint8Array): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

export interface StorageOptions {
  /** Most keys of a page. */
  readonly page?: number;
  /** Heeds If-None-Match, as Amazon does; older storages write over what is there. */
  readonly isConditional?: boolean;
  /** Gives parts of objects, as Amazon does; else it answers with the whole. */
  readonly hasRanges?: boolean;
}

/** A storage in memory for what the real server of the tests has no room for: any keys at all, in any number. */
export async function startStorage(
  objects: Map<string, Uint8Array>,
  { page = 1000, isConditional = true, hasRanges = true }: StorageOptions = {},
): Promise<string> {
  function list(query: URLSearchParams): string {
    const [prefix, after] = [query.get('prefix') ?? '', query.get('continuation-token') ?? ''];
    const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(bytewise);
    const rest = keys.filter((key) => after === '' || bytewise(key, after) > 0);
    const shown = rest.slice(0, page);
    const name = query.get('encoding-type') === 'url' ? encodeURIComponent : xml;
    const contents = shown.map((key) => {
      const bytes = objects.get(key)!;
      return `<Contents><Key>${name(key)}</Key><Size>${bytes.length}</Size><ETag>${xml(etagOf(bytes))}</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`;
    });
    const isTruncated = rest.length > page;
    const next = isTruncated ? `<NextContinuationToken>${xml(shown.at(-1)!)}</NextContinuationToken>` : '';
    return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${query.get('encoding-type') === 'url' ? '<EncodingType>url</EncodingType>' : ''}${next}${contents.join('')}</ListBucketResult>`;
  }
  async function answer(asked: IncomingMessage, answered: ServerResponse): Promise<void> {
    const [path, query] = asked.url!.split('?') as [string, string | undefined];
    const key = decodeURIComponent(path.slice(1).split('/').slice(1).join('/'));
    const error = (status: number, code: string): void => {
      answered.writeHead(status, { 'content-type': 'application/xml' });
      answered.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>of the test</Message></Error>`);
    };
    if (asked.method === 'PUT') {
      const bytes = Buffer.concat(await asked.toArray());
      if (isConditional && asked.headers['if-none-match'] === '*' && objects.has(key))
        return error(412, 'PreconditionFailed');
      objects.set(key, bytes);
      answered.writeHead(200, { etag: etagOf(bytes) });
      answered.end();
      return;
    }
    if (asked.method === 'DELETE') {
      objects.delete(key);
      answered.writeHead(204);
      answered.end();
      return;
    }
    if (key === '') {
      answered.writeHead(200, { 'content-type': 'application/xml' });
      answered.end(list(new URLSearchParams(query)));
      return;
    }
    const bytes = objects.get(key);
    if (bytes === undefined) return error(404, 'NoSuchKey');
    const match = asked.headers['if-match'];
    if (match !== undefined && match !== etagOf(bytes)) return error(412, 'PreconditionFailed');
    const range = hasRanges ? /^bytes=(\d+)-(\d+)$/.exec(asked.headers.range ?? '') : null;
    const part = range === null ? bytes : bytes.subarray(Number(range[1]), Number(range[2]) + 1);
    answered.writeHead(range === null ? 200 : 206, { etag: etagOf(bytes), 'content-length': part.length });
    answered.end(asked.method === 'HEAD' ? undefined : part);
  }
  return listening(createServer((asked, answered) => void answer(asked, answered)));
}

/** What a proxy does with a request: lets it pass, answers with a status, or cuts the answer off in its middle. */
export type Disturbance = 'pass' | 'cut' | { readonly status: number; readonly code: string };

/** A proxy before a storage that disturbs what it is told to, and what was asked through it. */
export interface Proxy {
  readonly endpoint: string;
  /** `METHOD path` of each request. */
  readonly asked: string[];
}

export async function startProxy(
  endpoint: string,
  disturb: (asked: string, count: number) => Disturbance,
): Promise<Proxy> {
  const asked: string[] = [];
  const { port } = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    const what = `${incoming.method} ${incoming.url}`;
    asked.push(what);
    const disturbance = disturb(what, asked.filter((one) => one === what).length);
    if (typeof disturbance === 'object') {
      incoming.resume();
      outgoing.writeHead(disturbance.status, { 'content-type': 'application/xml' });
      outgoing.end(`<?xml version="1.0"?><Error><Code>${disturbance.code}</Code><Message>busy</Message></Error>`);
      return;
    }
    const { method, url, headers } = incoming;
    const passed = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      if (disturbance === 'pass') {
        answer.pipe(outgoing);
        return;
      }
      answer.once('data', (chunk: Buffer) => {
        outgoing.write(chunk.subarray(0, chunk.length >> 1), () => outgoing.destroy());
        answer.destroy();
      });
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  return { endpoint: await listening(server), asked };
}

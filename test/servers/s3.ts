import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, foundServer } from './found.ts';
import { freePort, startServer } from './process.ts';

const VERSITYGW = findProgram('versitygw');
const MOTO = findProgram('moto_server');

/** Which S3 server these tests run on: versitygw's conditional writes are those of AWS; moto is slower, and a mock. */
export const S3_SERVER = VERSITYGW !== null ? 'versitygw' : MOTO !== null ? 'moto' : null;

/** Whether one is here. */
export const s3Here = foundServer(
  S3_SERVER === null
    ? 'there is no versitygw; run "go install github.com/versity/versitygw/cmd/versitygw@latest", or "pip install moto[server,s3]"'
    : undefined,
);

/** An S3 server of its own on the loopback address. */
export interface S3Server {
  /** `http://127.0.0.1:PORT`; buckets are in the path. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** The same for a process that runs permafrost. */
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  /** Ends it and removes its objects. */
  readonly stop: () => Promise<void>;
}

const ACCESS_KEY = 'testkey';
const SECRET_KEY = 'testsecret';
const REGION = 'us-east-1';

async function answers(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

/** Starts a server with these buckets, empty. */
export async function startS3(...buckets: readonly string[]): Promise<S3Server> {
  s3Here.require();
  const folder = mkdtempSync(join(tmpdir(), 'permafrost-s3-'));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // A folder below that of the posix backend is a bucket.
  for (const bucket of buckets) mkdirSync(join(folder, bucket));
  const server =
    VERSITYGW !== null
      ? await startServer(VERSITYGW, ['--port', `127.0.0.1:${port}`, '--region', REGION, 'posix', folder], {
          env: { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
          isReady: () => answers(port),
        })
      : await startServer(MOTO!, ['-H', '127.0.0.1', '-p', String(port)], {
          isReady: () => answers(port),
          withinMs: 60_000,
        });
  if (VERSITYGW === null) {
    // moto checks no signatures.
    for (const bucket of buckets) await fetch(`${endpoint}/${bucket}`, { method: 'PUT' });
  }
  return {
    endpoint,
    accessKeyId: ACCESS_KEY,
    secretAccessKey: SECRET_KEY,
    region: REGION,
    env: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
      AWS_REGION: REGION,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    pid: server.pid,
    async stop() {
      await server.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeCertificates, type Certificates } from './certificates.ts';
import { findProgram, foundServer } from './found.ts';
import { freePort, startServer, type ServerProcess } from './process.ts';

const SERVER = findProgram('redis-server', 'valkey-server');
const CLIENT = findProgram('redis-cli', 'valkey-cli');

/** Whether Redis is here (Debian: `apt-get install redis-server`; Valkey serves as well). */
export const redisHere = foundServer(
  SERVER === null || CLIENT === null ? 'there is no redis-server; run "apt-get install redis-server"' : undefined,
);

export interface RedisOptions {
  /** Speak TLS alone, with a certificate that an authority of its own signed. */
  readonly tls?: boolean;
  /**
   * Users beside the default one, a line each in the words of an ACL file: `user permafrost on >secret
   * ~permafrost:* &permafrost:* +@all -@dangerous -@admin +info`.
   */
  readonly users?: readonly string[];
  /** Other settings, as on the command line of redis-server: `--maxmemory`, `1mb`. */
  readonly settings?: readonly string[];
}

/** A Redis of its own on the loopback address. */
export interface RedisServer {
  readonly port: number;
  readonly pid: () => number;
  /** Of the user `default`. */
  readonly password: string;
  /** `redis://127.0.0.1:PORT/0`, or `rediss:`; without a password, which permafrost never takes from there. */
  readonly url: string;
  /** Of the authority that signed its certificate, where it speaks TLS. */
  readonly certificates: Certificates | undefined;
  /** The answer to one command, as the user `default`. */
  readonly command: (...words: readonly string[]) => Promise<string>;
  /** SIGKILL. Its append-only file stays. */
  readonly kill: () => Promise<void>;
  /** Starts it again, after kill, on the same port over the same files. */
  readonly restart: () => Promise<void>;
  /** Ends it and removes its files. */
  readonly stop: () => Promise<void>;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Starts Redis as docs say that it should be run: an append-only file, nothing evicted, a password. */
export async function startRedis({ tls = false, users = [], settings = [] }: RedisOptions = {}): Promise<RedisServer> {
  redisHere.require();
  const folder = mkdtempSync(join(tmpdir(), 'permafrost-redis-'));
  const port = await freePort();
  const password = 'a secret of these tests';
  const certificates = tls ? makeCertificates(folder) : undefined;
  // An ACL file has no quotes, so a password there has no spaces: its digest has none.
  const acl = join(folder, 'users.acl');
  writeFileSync(acl, [`user default on #${sha256(password)} ~* &* +@all`, ...users, ''].join('\n'));
  const secure =
    certificates === undefined
      ? ['--port', String(port)]
      : [
          ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
          ...['--tls-cert-file', certificates.cert, '--tls-key-file', certificates.key],
          ...['--tls-ca-cert-file', certificates.ca],
        ];
  const args = [
    ...['--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no', '--aclfile', acl, ...secure],
    ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction'],
    ...settings,
  ];
  const command = async (...words: readonly string[]): Promise<string> => {
    const authority = certificates === undefined ? [] : ['--tls', '--cacert', certificates.ca];
    const env = { ...process.env, REDISCLI_AUTH: password };
    const all = ['-h', '127.0.0.1', '-p', String(port), '--no-auth-warning', '-e', ...authority, ...words];
    const { stdout } = await promisify(execFile)(CLIENT!, all, { env });
    return stdout.trim();
  };
  const start = (): Promise<ServerProcess> =>
    startServer(SERVER!, args, {
      async isReady() {
        const answer = await command('PING');
        if (answer !== 'PONG') throw new Error(answer);
      },
    });
  let server = await start();
  return {
    port,
    pid: () => server.pid,
    password,
    url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}/0`,
    certificates,
    command,
    kill: () => server.end('SIGKILL'),
    async restart() {
      server = await start();
    },
    async stop() {
      await server.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

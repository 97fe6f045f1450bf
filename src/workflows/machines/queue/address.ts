import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { QueueOptions } from './options.ts';

/** Where the server of a queue is, and who asks there. It holds a secret: only `shown` is told to anybody. */
export interface QueueAddress {
  /** `redis://127.0.0.1:6379/0`. */
  readonly shown: string;
  readonly host: string;
  readonly port: number;
  readonly database: number;
  /** Undefined where the connection is not encrypted. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly prefix: string;
}

/** Variables that tell who asks. */
export const USER_VARIABLE = 'PERMAFROST_QUEUE_USER';
export const PASSWORD_VARIABLE = 'PERMAFROST_QUEUE_PASSWORD';

const REDIS_PORT = 6379;

const refuse = (message: string): never => {
  throw new PermafrostError('OPTION_INVALID', message);
};

/** The address as a URL. What is refused is not shown: it may hold a password. */
function parseUrl(text: string): URL {
  if (!URL.canParse(text))
    refuse('The address of the queue is no URL: give redis://HOST:PORT/0 or rediss://HOST:PORT/0.');
  const url = new URL(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:')
    refuse(`The address of the queue begins with ${url.protocol}: give redis://HOST:PORT/0, or rediss:// with TLS.`);
  if (url.username !== '' || url.password !== '')
    refuse(
      `The address of the queue holds a user or a password, which everybody on this machine can read in the list of processes. Take them out, and set ${USER_VARIABLE} and ${PASSWORD_VARIABLE}, or name a file with --queue-password-file.`,
    );
  if (url.hostname === '') refuse('The address of the queue names no host: give redis://HOST:PORT/0.');
  if (url.search !== '' || url.hash !== '')
    refuse('The address of the queue has a ? or a #, which mean nothing here: give redis://HOST:PORT/0.');
  return url;
}

function databaseOf({ pathname }: URL): number {
  const [, number] = /^\/?(\d{0,5})$/.exec(pathname) ?? refuse(`The queue's database is a number, got "${pathname}".`);
  return Number(number);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

async function textOf(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new PermafrostError('OPTION_INVALID', `${what} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
}

/** The password of the queue; its file's last line break is no part of it. */
async function passwordOf(file: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const variable = environment[PASSWORD_VARIABLE];
  if (file === '') return variable === '' ? undefined : variable;
  if (variable !== undefined && variable !== '')
    refuse(`There are two passwords of the queue: --queue-password-file, and ${PASSWORD_VARIABLE}. Take one away.`);
  const password = (await textOf(file, 'The file of --queue-password-file')).replace(/\r?\n$/, '');
  return password === '' ? refuse(`The file of --queue-password-file, ${file}, is empty.`) : password;
}

/**
 * Where and as whom the queue of `url` is reached. Throws OPTION_INVALID for what is no such URL, for one that holds a
 * password, for redis:// to another machine without `insecure`, and for files that cannot be read.
 */
export async function queueAddress(
  url: string,
  options: QueueOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<QueueAddress> {
  const parsed = parseUrl(url);
  const isTls = parsed.protocol === 'rediss:';
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const port = parsed.port === '' ? REDIS_PORT : Number(parsed.port);
  const database = databaseOf(parsed);
  if (!isTls && options.queueCa !== '') refuse('--queue-ca is for rediss://; redis:// is not encrypted.');
  if (isTls && options.insecure)
    refuse('--insecure allows redis:// to another machine; rediss:// always proves the server. Leave it out.');
  if (!isTls && !isLoopback(host) && !options.insecure)
    refuse(
      `redis://${host} is another machine, and what is said there, the password too, is not encrypted. Use rediss://, or say --insecure where the network is your own.`,
    );
  if (!/^[\w.{}-]{1,64}$/.test(options.queuePrefix))
    refuse(`--queue-prefix takes letters, digits and . _ - { }, got ${JSON.stringify(options.queuePrefix)}.`);
  const user = environment[USER_VARIABLE];
  return {
    shown: `${parsed.protocol}//${parsed.hostname}:${port}/${database}`,
    host,
    port,
    database,
    tls: isTls
      ? { ca: options.queueCa === '' ? undefined : await textOf(options.queueCa, 'The file of --queue-ca') }
      : undefined,
    user: user === '' ? undefined : user,
    password: await passwordOf(options.queuePasswordFile, environment),
    prefix: options.queuePrefix,
  };
}

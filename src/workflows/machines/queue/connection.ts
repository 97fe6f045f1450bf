import { isIP } from 'node:net';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import { PASSWORD_VARIABLE, USER_VARIABLE, type QueueAddress } from './address.ts';
import type { QueuePackages } from './packages.ts';

/** Milliseconds until a server that says nothing counts as away. */
const CONNECT_MS = 10_000;
/** Milliseconds between two tries to find a server that went away. */
const RETRY_MS = { first: 100, most: 5000 } as const;

/** How the client connects, and connects again: what is said while the server is away waits for it. */
export function connectionOf(address: QueueAddress) {
  const { host, port, database, user, password, tls } = address;
  return {
    host,
    port,
    db: database,
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && {
      tls: { ...(tls.ca !== undefined && { ca: tls.ca }), ...(isIP(host) === 0 && { servername: host }) },
    }),
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(times, 10)),
  };
}

/** What to do about a server's refusal, by its words. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /WRONGPASS|NOAUTH|invalid password|without any password/i,
    `Set ${USER_VARIABLE} and ${PASSWORD_VARIABLE}, or --queue-password-file.`,
  ],
  [/NOPERM/, 'The rules that the user needs stand in docs/queue.md.'],
  [
    /certificate|self.signed|altname|SSL|TLS/i,
    'Name the authority of its certificate with --queue-ca, or look whether it speaks TLS at all.',
  ],
  [/ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|closed/, 'Is it running there, and is the way to it open?'],
];

/** Why a server cannot be used, without what was sent to it: ioredis keeps the password in its errors. */
export function unavailable({ shown }: QueueAddress, error: unknown): PermafrostError {
  const reason = reasonOf(error).replace(/\.$/, '');
  const advice = ADVICE.find(([words]) => words.test(reason))?.[1] ?? '';
  return new PermafrostError(
    'QUEUE_UNAVAILABLE',
    `The queue's server ${shown} cannot be used: ${reason}. ${advice}`.trim(),
  );
}

/**
 * Asks the server once, without trying again: a wrong address must not wait for ever. Warns where it may drop units.
 * Throws QUEUE_UNAVAILABLE.
 */
export async function checkServer({ Redis }: QueuePackages, address: QueueAddress, listener?: Listener): Promise<void> {
  const client = new Redis({ ...connectionOf(address), lazyConnect: true, retryStrategy: () => null });
  let last: unknown;
  client.on('error', (error) => (last = error));
  try {
    await client.connect();
    const info = await client.info('memory');
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    if (policy !== undefined && policy !== 'noeviction')
      listener?.note?.(
        `Warning: the queue's server drops keys when its memory is full (maxmemory-policy ${policy}), units too. Set noeviction.`,
      );
  } catch (error) {
    throw unavailable(address, last ?? error);
  } finally {
    client.disconnect();
  }
}

/** Who hears how the connection is. */
export interface ConnectionNotes {
  readonly failed: (error: unknown) => void;
  /** The server has answered. */
  readonly answered: () => void;
}

/** The server cannot be reached, for now. */
const IS_LOST = /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|Connection is closed|LOADING/;
/** BullMQ's words for a unit that ended after its lease, or that the server has lost. */
const IS_LATE = /Missing (lock|key)|could not renew lock|not owned/;

/** Tells when a server goes away and when it is back, and other errors once each. */
export function connectionNotes(address: QueueAddress, listener: Listener | undefined): ConnectionNotes {
  const said = new Set<string>();
  let isAway = false;
  const sayOnce = (text: string): void => {
    if (!said.has(text)) listener?.note?.(text);
    said.add(text);
  };
  return {
    failed(error) {
      const reason = reasonOf(error);
      if (IS_LATE.test(reason))
        return sayOnce(
          'A unit outlived its lease, or the server lost it. It may be handed out again, which costs nothing once it is published.',
        );
      if (!IS_LOST.test(reason)) return sayOnce(unavailable(address, error).message);
      if (!isAway) listener?.note?.(`The queue's server ${address.shown} is away; waiting for it.`);
      isAway = true;
    },
    answered() {
      if (isAway) listener?.note?.(`The queue's server ${address.shown} is back.`);
      isAway = false;
    },
  };
}

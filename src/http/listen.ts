import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { PermafrostError, reasonOf } from '../core/errors.ts';

/** A server that listens, and where. */
export interface Listening {
  readonly server: Server;
  readonly port: number;
}

export interface ListenRequest {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Who listens, for the message: `The studio`. */
  readonly owner: string;
}

/** Answers HTTP with `fetch`. Throws OPTION_INVALID where the address is taken or not this machine's. */
export async function listen(
  fetch: Parameters<typeof serve>[0]['fetch'],
  { host, port, owner }: ListenRequest,
): Promise<Listening> {
  try {
    return await new Promise((resolve, reject) => {
      const server = serve({ fetch, port, hostname: host }, (address) =>
        resolve({ server, port: address.port }),
      ) as Server;
      server.once('error', reject);
    });
  } catch (cause) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${owner} cannot listen on ${host}:${port}: ${reasonOf(cause)}. Give another --port, or 0 for a free one.`,
      { cause },
    );
  }
}

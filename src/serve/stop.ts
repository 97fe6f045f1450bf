import { Server as NetServer, type Socket } from 'node:net';
import type { Server, ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';

/** How long connections without a request stay open when a server ends, in milliseconds. */
const GRACE_MS = 500;

/** Most turns of the event loop for connections that wait: one is accepted a turn, and some always come. */
const MOST_TURNS = 1000;

/** Lets in the connections that the system has taken already: closing the port would cut them off. */
async function acceptWaiting(accepted: () => number): Promise<void> {
  let before = -1;
  for (let turn = 0; turn < MOST_TURNS && accepted() > before; turn++) {
    before = accepted();
    await setImmediate();
    await setImmediate();
  }
}

/** Ends a server so that what was sent to it is answered. */
export interface Stoppable {
  /** Takes no new connection, answers what was sent on the others, closes them, and resolves when all are closed. */
  stop(): Promise<void>;
}

/**
 * Watches the connections of a server from its start. `Server.close` would close at once each connection that has no
 * request under way: the next request may have been sent on it and lie unread. Here such a connection is answered, with
 * `Connection: close`, for half a second before it is closed.
 */
export function stoppable(server: Server): Stoppable {
  const connections = new Map<Socket, Set<ServerResponse>>();
  let accepted = 0;
  let stopping = false;
  let graceIsOver = false;
  let allClosed: () => void = () => {};

  const isLast = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  server.on('connection', (socket) => {
    accepted++;
    connections.set(socket, new Set());
    socket.once('close', () => {
      connections.delete(socket);
      if (connections.size === 0) allClosed();
    });
  });
  // Before the one that answers, which may do so at once.
  server.prependListener('request', (request, response: ServerResponse) => {
    const open = connections.get(request.socket);
    open?.add(response);
    if (stopping) isLast(response);
    response.once('close', () => {
      open?.delete(response);
      if (graceIsOver && open?.size === 0) request.socket.end();
    });
  });

  return {
    async stop() {
      await acceptWaiting(() => accepted);
      // What http's own close does beside this is told above.
      NetServer.prototype.close.call(server);
      stopping = true;
      for (const open of connections.values()) for (const response of open) isLast(response);
      if (connections.size > 0) {
        const closed = new Promise<void>((resolve) => (allClosed = resolve));
        const grace = setTimeout(() => {
          graceIsOver = true;
          for (const [socket, open] of connections) if (open.size === 0) socket.destroy();
        }, GRACE_MS);
        await closed;
        clearTimeout(grace);
      }
      // Its timers.
      server.close();
    },
  };
}

// @ts-check
// A Redis of the bench's own on the loopback address, run as docs say that it should be.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PASSWORD = 'bench';

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {number} port */
async function answers(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Starts one with its files in a new folder below `scratch`; `env` has what permafrost needs to be let in.
 * @param {string} scratch
 */
export async function startRedis(scratch) {
  const port = await freePort();
  const server = spawn(
    'redis-server',
    [
      ...['--bind', '127.0.0.1', '--port', String(port), '--dir', mkdtempSync(join(scratch, 'redis-'))],
      ...['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction', '--requirepass', PASSWORD],
    ],
    { stdio: 'ignore' },
  );
  await once(server, 'spawn');
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 200) throw new Error('redis-server does not answer');
    await sleep(25);
  }
  return {
    url: `redis://127.0.0.1:${port}/0`,
    env: { PERMAFROST_QUEUE_PASSWORD: PASSWORD },
    pid: Number(server.pid),
    async stop() {
      const over = once(server, 'exit');
      server.kill('SIGKILL');
      await over;
    },
  };
}

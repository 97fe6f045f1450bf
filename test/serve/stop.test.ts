import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stoppable } from '../../src/serve/stop.ts';
import { permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { servedStore, type ServedStore } from '../support/service.ts';
import { startService, type ServiceProcess } from '../support/service-process.ts';

const folder = temporaryFolders();
let made: ServedStore;
let service: ServiceProcess | undefined;

beforeAll(async () => {
  made = await servedStore(folder());
}, 120_000);
afterEach(async () => {
  await service?.stop('SIGKILL');
  service = undefined;
});

/** Asks again and again until no new connection is taken. Gives the statuses; throws what is lost. */
async function askUntilClosed(port: number, body: Uint8Array, answered: () => void): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const statuses: number[] = [];
  for (;;) {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, method: 'POST', path: '/predict', agent });
      sent.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNREFUSED' ? resolve(undefined) : reject(error),
      );
      sent.once('response', (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      });
      sent.end(body);
    });
    if (status === undefined) break;
    statuses.push(status);
    answered();
  }
  agent.destroy();
  return statuses;
}

describe('the service ends', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s in the middle of work without losing an answer', async (signal) => {
    service = await startService([made.logistic, '--engine', 'onnxruntime']);
    const { port, url, heads } = service.announced;
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(heads).toMatchObject([{ head: 'logistic', classes: ['across', 'down'] }]);
    const body = readFileSync(made.image('across'));
    let answers = 0;
    let enough!: () => void;
    const busy = new Promise<void>((resolve) => (enough = resolve));
    const clients = Array.from({ length: 4 }, () =>
      askUntilClosed(port, body, () => {
        if (++answers === 16) enough();
      }),
    );
    await busy;
    const ended = service.stop(signal);
    // A lost answer would be an error of its client.
    const statuses = (await Promise.all(clients)).flat();
    expect(statuses.length).toBeGreaterThanOrEqual(16);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await ended).toBe(0);
    expect(service.stderr()).not.toMatch(/failed|Error/);
  });

  it('with what is half sent answered, and connections that ask nothing closed', async () => {
    service = await startService([made.logistic, '--engine', 'onnxruntime']);
    const { port } = service.announced;
    const idle = connect(port, '127.0.0.1').resume();
    await once(idle, 'connect');
    const body = readFileSync(made.image('down'));
    const slow = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/predict',
      agent: new Agent({ keepAlive: true }),
    });
    const answer = once(slow, 'response') as Promise<[{ statusCode: number; headers: Record<string, string> }]>;
    slow.write(body.subarray(0, 100));
    // The first bytes are there once the queue counts the image.
    while (!(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).includes('permafrost_queue_images 1'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    const ended = service.stop();
    await once(idle, 'close');
    slow.end(body.subarray(100));
    const [response] = await answer;
    expect(response.statusCode).toBe(200);
    expect(response.headers['connection']).toBe('close');
    expect(await ended).toBe(0);
  });
});

describe('a server that is stopped', () => {
  it('answers also those whose connections it has not accepted yet', async () => {
    const server = createServer((asked, answer) => asked.resume().once('end', () => answer.end('here')));
    const connections = stoppable(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const asked = Array.from({ length: 30 }, () => request({ host: '127.0.0.1', port, method: 'POST', agent: false }));
    const answers = asked.map(async (one) => {
      const [response] = (await once(one, 'response')) as [IncomingMessage];
      return response.resume().statusCode;
    });
    for (const one of asked) one.end('an image');
    await once(server, 'connection');
    await connections.stop();
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
  });
});

describe('the command line', () => {
  it('says what is wrong with an address before anything is loaded', async () => {
    const { code, stderr } = await permafrost(['serve', made.logistic, '--host', '0.0.0.0']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--token.*PERMAFROST_TOKEN.*--insecure.*OPTION_INVALID/)]);
  });

  it('takes the token from the environment', async () => {
    service = await startService([made.logistic], { PERMAFROST_TOKEN: 'from outside' });
    const { url } = service.announced;
    expect((await fetch(`${url}/heads`)).status).toBe(401);
    const known = await fetch(`${url}/heads`, { headers: { authorization: 'Bearer from outside' } });
    expect(known.status).toBe(200);
    expect(await service.stop()).toBe(0);
  });
});

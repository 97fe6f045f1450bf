// @ts-check
// The services that are compared, each a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PEER = fileURLToPath(new URL('peer.py', import.meta.url));

/**
 * @typedef {object} Side
 * @property {string} name
 * @property {import('node:child_process').ChildProcess} child
 * @property {number} port
 * @property {(signal?: NodeJS.Signals) => Promise<number | null>} stop ends it; its exit code
 */

/** A port that is free now. @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a process and waits for the JSON that it prints when it is ready.
 * @param {string} name @param {string} program @param {readonly string[]} args @param {(said: any) => number} portOf
 * @returns {Promise<Side>}
 */
async function start(name, program, args, portOf) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ more) => {
      text += more;
      if (text.endsWith('}\n')) resolve(JSON.parse(text));
    });
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return {
    name,
    child,
    port: portOf(said),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, 'exit');
      child.kill(signal);
      const [code] = await ended;
      return code;
    },
  };
}

/** @param {string} head @param {string} engine @param {string} precision */
export const permafrostSide = (head, engine, precision) =>
  start(
    'permafrost',
    process.execPath,
    [MAIN, 'serve', head, '--engine', engine, '--precision', precision, '--port', '0', '--json', '--quiet'],
    (said) => said.port,
  );

/** Waits until a port takes connections. @param {number} port */
async function reachable(port) {
  for (;;) {
    const answered = await fetch(`http://127.0.0.1:${port}/docs`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * FastAPI.
 * @param {string} name @param {string} python @param {string} head @param {readonly string[]} network flags
 */
export async function peerSide(name, python, head, network) {
  const port = await freePort();
  const side = await start(name, python, [PEER, '--head', head, '--port', String(port), ...network], () => port);
  await reachable(port);
  return side;
}

/** Processor time that a side has taken so far, in seconds (Linux: in hundredths). @param {Side} side */
export function cpuSeconds({ child }) {
  const after = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1] ?? '';
  const fields = after.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

// @ts-check
// Whether a service keeps its memory over many requests, and loses no answer where it is ended in the middle.
import { Agent } from 'node:http';
import { readFileSync } from 'node:fs';
import { ask, drive } from './clients.mjs';

const CLIENTS = 8;

/** Resident memory of a process in MiB, now and at most (Linux). @param {number} pid */
function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (/** @type {string} */ key) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { nowMiB: Math.round(of('VmRSS')), peakMiB: Math.round(of('VmHWM')) };
}

/**
 * Clients that ask until no connection is taken any more: how many were answered, and what was lost.
 * @param {number} port @param {readonly Uint8Array[]} images @param {() => void} answered
 */
async function untilClosed(port, images, answered) {
  const count = { answered: 0, lost: /** @type {string[]} */ ([]) };
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let i = client; ; i++) {
        try {
          await ask(port, /** @type {Uint8Array} */ (images[i % images.length]), agent);
          count.answered++;
          answered();
        } catch (error) {
          const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
          if (code !== 'ECONNREFUSED') count.lost.push(message);
          break;
        }
      }
      agent.destroy();
    }),
  );
  return count;
}

/**
 * Sends `requests` requests by eight clients and tells the memory on the way, then ends the service while they ask.
 * @param {import('./sides.mjs').Side} side @param {readonly Uint8Array[]} images @param {number} requests
 */
export async function soak(side, images, requests) {
  const pid = /** @type {number} */ (side.child.pid);
  const { port } = side;
  await drive({ port, images, clients: CLIENTS, requests: Math.min(1000, requests) });
  /** @type {Record<number, ReturnType<typeof memory>>} */
  const atRequest = { 0: memory(pid) };
  const every = Math.ceil(requests / 10);
  const load = await drive({ port, images, clients: CLIENTS, requests }, (done) => {
    if (done % every === 0 || done === requests) atRequest[done] = memory(pid);
  });
  /** @type {() => void} */
  let enough = () => {};
  const busy = new Promise((resolve) => (enough = () => resolve(undefined)));
  let answers = 0;
  const clients = untilClosed(port, images, () => {
    if (++answers === 5 * CLIENTS) enough();
  });
  await busy;
  const exitCode = await side.stop();
  return { load, memory: atRequest, ended: { exitCode, ...(await clients) } };
}

// @ts-check
// Clients of a service: each asks again as soon as it is answered, on a connection of its own.
import { Agent, request } from 'node:http';

/**
 * @typedef {object} Load what clients together saw
 * @property {number} requests
 * @property {number} seconds
 * @property {number} perSecond
 * @property {number} p50 milliseconds from request to answer
 * @property {number} p95
 * @property {number} p99
 */

/**
 * One request; gives the answer's JSON. Throws where its status is not 200.
 * @param {number} port @param {Uint8Array} body @param {Agent} agent
 * @returns {Promise<{ label: string, probability: number }>}
 */
export function ask(port, body, agent) {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/predict',
      agent,
      headers: { 'content-type': 'image/jpeg', 'content-length': body.length },
    });
    sent.on('error', reject);
    sent.once('response', (response) => {
      /** @type {Buffer[]} */
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${response.statusCode}: ${text}`));
      });
    });
    sent.end(body);
  });
}

/** @param {readonly number[]} sorted @param {number} share */
const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;

/**
 * Sends `requests` requests by `clients` clients, images in turn.
 * @param {{ port: number, images: readonly Uint8Array[], clients: number, requests: number }} load
 * @param {(done: number) => void} [progress]
 * @returns {Promise<Load>}
 */
export async function drive({ port, images, clients, requests }, progress = () => {}) {
  /** @type {number[]} */
  const times = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (next < requests) {
        const image = images[next++ % images.length];
        const from = performance.now();
        await ask(port, /** @type {Uint8Array} */ (image), agent);
        times.push(performance.now() - from);
        progress(times.length);
      }
      agent.destroy();
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  return {
    requests,
    seconds,
    perSecond: requests / seconds,
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    p99: quantile(times, 0.99),
  };
}

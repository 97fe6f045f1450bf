// @ts-check
/*
 * What several heads of one network cost a service: memory when it is ready and after some requests, and the time to
 * the answers where an image is asked about to all of them at once.
 *
 *   npm run build && nice -n 10 node bench/serve/several-heads.mjs HEAD IMAGE... [--heads 3] [--rounds 40]
 *
 * The head is served under one name, then under several. Memory is that of the process and all that it started, a page
 * that several have counted once (Linux). Medians; writes bench/results/several-heads-<time>.json.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machineFacts, writeReport } from '../machine.mjs';
import { median } from '../median.mjs';
import { familyMemory } from '../process-memory.mjs';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { heads: { type: 'string', default: '3' }, rounds: { type: 'string', default: '40' } },
});
const [head = '', ...images] = positionals;
if (images.length === 0) throw new Error('Give a head or a store, and images.');
const bodies = images.map((file) => readFileSync(file));
const rounds = Number(values.rounds);

/** @param {number} heads */
async function served(heads) {
  const names = Array.from({ length: heads }, (_, i) => `h${i}`);
  const args = ['serve', ...names.map((name) => `${name}=${head}`), '--port', '0', '--json', '--quiet'];
  const started = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { port } = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ more) => {
      text += more;
      if (text.endsWith('}\n')) resolve(JSON.parse(text));
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
  const readyMs = performance.now() - started;
  const pid = /** @type {number} */ (child.pid);
  const ready = familyMemory(pid);
  const ask = async (/** @type {string} */ name, /** @type {Uint8Array} */ body) => {
    const headers = { 'content-type': 'image/jpeg' };
    const answer = await fetch(`http://127.0.0.1:${port}/heads/${name}/predict`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(await answer.text());
    return /** @type {{ label: string, probability: number }} */ (await answer.json());
  };
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const body = /** @type {Buffer} */ (bodies[round % bodies.length]);
    const from = performance.now();
    const answers = await Promise.all(names.map((name) => ask(name, body)));
    times.push(performance.now() - from);
    if (new Set(answers.map(({ label }) => label)).size > 1) throw new Error('equal heads gave other answers');
  }
  const after = familyMemory(pid);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  return { heads, readyMs, readyMB: ready / 1e6, afterMB: after / 1e6, ms: median(times), times };
}

const found = [];
for (const heads of [1, Number(values.heads)]) {
  const one = await served(heads);
  found.push(one);
  console.log(
    `${heads} ${heads === 1 ? 'head' : 'heads'}: ${one.readyMB.toFixed(0)} MB when ready after ${(one.readyMs / 1000).toFixed(1)} s, ${one.afterMB.toFixed(0)} MB after ${rounds} rounds; one image asked of each at once ${one.ms.toFixed(1)} ms (median)`,
  );
}
console.log(writeReport('several-heads', { head, found }));
console.log(JSON.stringify(machineFacts()));

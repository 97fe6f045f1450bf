// @ts-check
// Files of a store whose content is wrong and whose digests are right: each is read by everything that reads it.
//
//   npm run build && node bench/faults/fuzz.mjs [--cases 1000] [--seed 1] [--kinds arrow,head] [--verbose]
//
// Prints how each reading ended, by kind: an answer, or an error code. Fails where one ends in anything else: a stack
// trace, a process that dies, a reading of more than 20 s, one that takes more than 300 MB, an answer that is no
// number.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { baseStore } from './fuzz-base.mjs';
import { KINDS } from './fuzz-changes.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    kinds: { type: 'string', default: KINDS.join() },
    verbose: { type: 'boolean', default: false },
  },
});
/** A reading of a store of 24 images takes some milliseconds; the rest is for a busy machine. */
const READING_MS = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'permafrost-fuzz-'));
/** @type {Map<string, number>} */
const counts = new Map();
/** @type {string[]} */
const findings = [];

/** @param {string} what */
const count = (what) => counts.set(what, (counts.get(what) ?? 0) + 1);

/** Runs cases in a process of its own, and gives how many it began. @param {object} orders */
async function someCases(orders) {
  const script = fileURLToPath(new URL('./fuzz-worker.mjs', import.meta.url));
  const child = spawn(process.execPath, ['--max-old-space-size=600', script, JSON.stringify(orders)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stderr, began, last, hung] = ['', 0, '', false];
  child.stderr.setEncoding('utf8').on('data', (more) => (stderr += more));
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const arm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, READING_MS);
  };
  // Starting is no reading.
  timer = setTimeout(() => child.kill('SIGKILL'), 10 * READING_MS);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    arm();
    const [what, ...rest] = line.split('\t');
    if (what === 'case') [began, last] = [began + 1, rest.join(' ')];
    else if (what === 'reading') last = `${last.split(' | ')[0]} | ${rest.join(' ')}`;
    else {
      const [kind, reading, outcome] = /** @type {[string, string, string]} */ (rest);
      const isFine = /^(answered|[A-Z][A-Z_]+)$/.test(outcome);
      count(`${kind}\t${reading}\t${isFine ? outcome : 'FINDING'}`);
      if (!isFine) findings.push(`${last}: ${outcome}`);
      else if (values.verbose) console.log(`${last}: ${outcome}`);
    }
  });
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  if (code !== 0) {
    findings.push(`${last}: ${hung ? 'hung' : `the process died (${code}): ${stderr.slice(-400)}`}`);
    count(`${last.split(' ')[1]}\t${last.split(' | ')[1]}\t${hung ? 'HUNG' : 'DIED'}`);
    if (began === 0) throw new Error(`The process did not begin: ${stderr}`);
  }
  return began;
}

try {
  const base = await baseStore(folder);
  const [seed, cases] = [Number(values.seed), Number(values.cases)];
  const kinds = values.kinds.split(',');
  for (let from = Number(values.from); from < cases;)
    from += await someCases({ base, work: join(folder, 'work'), seed, from, cases, kinds });
  for (const [what, number] of [...counts].sort()) console.log(`${what}\t${number}`);
  const readings = [...counts.values()].reduce((sum, number) => sum + number, 0);
  console.log(`${cases} cases, seed ${seed}: ${readings} readings, ${findings.length} findings`);
  for (const finding of findings) console.log(finding);
  process.exitCode = findings.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

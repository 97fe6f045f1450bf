// @ts-check
// The whole fault suite (test/faults): every call that changes a file, of every scenario, in every way in which it can go
// wrong. Needs Linux and gcc. Prints a table, writes bench/results/faults-<time>.json, and ends with 1 where anything was
// found.
//
//   node bench/faults/run.mjs [--sample N] [--only SCENARIO] [--jobs 2] [--minutes M] [--ledger FILE]
//
// --sample: N runs a scenario in place of all. --minutes: ends after that time; what is left is named. --ledger: the file
// that gets a line a run (default: a new one in bench/results); with one that is there, the suite goes on where it ended.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: 'whole' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    minutes: { type: 'string', default: '0' },
    ledger: {
      type: 'string',
      default: `bench/results/faults-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.jsonl`,
    },
  },
});
const [jobs, minutes] = [Number(values.jobs), Number(values.minutes)];
if (!Number.isInteger(jobs) || jobs < 1 || !(minutes >= 0)) {
  console.error(
    'Usage: node bench/faults/run.mjs [--sample N] [--only SCENARIO] [--jobs 2] [--minutes M] [--ledger FILE]',
  );
  process.exit(2);
}
const ledger = resolve(values.ledger);
mkdirSync(dirname(ledger), { recursive: true });

/**
 * @typedef {{ scenario: string, call: { n: number, name: string, path: string }, way: string, ms: number, of: number,
 *   wasKnown: boolean, findings: { what: string, details: string }[] }} Tried
 */
/** @returns {Tried[]} */
const triedSoFar = () =>
  existsSync(ledger)
    ? readFileSync(ledger, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    : [];

// Once, not by all at the same time.
execFileSync(process.execPath, ['scripts/build.mjs', '--if-stale'], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
});
const started = performance.now();
const children = Array.from({ length: jobs }, (_, i) =>
  spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/faults/faults.test.ts'], {
    cwd: root,
    env: {
      ...process.env,
      FAULTS: values.sample,
      FAULTS_SHARE: `${i + 1}/${jobs}`,
      FAULTS_LEDGER: ledger,
      ...(minutes > 0 && { FAULTS_UNTIL: new Date(Date.now() + minutes * 60_000).toISOString() }),
      ...(values.only !== undefined && { FAULTS_ONLY: values.only }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  }),
);
const progress = setInterval(() => {
  const all = triedSoFar();
  console.error(`${all.length} runs, ${all.filter(({ findings }) => findings.length > 0).length} with findings`);
}, 60_000);
const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
clearInterval(progress);

const all = triedSoFar();
const bad = all.filter(({ findings }) => findings.length > 0);
const names = [...new Set(all.map(({ scenario }) => scenario))];
const ways = [...new Set(all.map(({ way }) => way))];
const rows = names.map((name) => {
  const own = all.filter(({ scenario }) => scenario === name);
  return {
    scenario: name,
    of: own[0]?.of ?? 0,
    runs: own.length,
    ...Object.fromEntries(ways.map((way) => [way, own.filter((one) => one.way === way).length])),
    findings: own.filter(({ findings }) => findings.length > 0).length,
    'ms a run': Math.round(own.reduce((sum, { ms }) => sum + ms, 0) / own.length),
  };
});
console.table(rows);
for (const { scenario, call, way, findings } of bad)
  for (const { what, details } of findings)
    console.log(`${scenario}, call ${call.n} (${call.name} ${call.path}), ${way}: ${what}\n  ${details}`);
const possible = rows.reduce((sum, { of }) => sum + of, 0);
const minutesTaken = (performance.now() - started) / 60_000;
console.log(
  `${all.length} of ${possible} runs, ${bad.length} with findings, ${minutesTaken.toFixed(1)} minutes now, ${jobs} at once.`,
);
console.log(writeReport('faults', { rows, bad, runs: all.length, possible, minutes: minutesTaken, jobs, ledger }));
// A vitest that ended badly without a finding could not run.
if (bad.length > 0) process.exitCode = 1;
else if (minutes === 0 && codes.some((code) => code !== 0)) {
  console.error(
    `The suite itself failed (exit codes ${codes.join(', ')}): run npx vitest run test/faults/faults.test.ts`,
  );
  process.exitCode = 1;
}

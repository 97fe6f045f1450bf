// Preloaded into a process (--import): a thousand times as much time passes as by the clock, so that the rows of an
// open shard are kept after each batch. RAISE_AT_KEPT="n SIGNAL ...": the process gets the signals when the n-th file
// of such rows is there.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const now = performance.now.bind(performance);
performance.now = () => now() * 1000;

const [at, ...signals] = (process.env.RAISE_AT_KEPT ?? '').split(' ');
let kept = 0;
const rename = fs.rename;
fs.rename = async (from, to) => {
  await rename(from, to);
  if (String(to).endsWith('.unsealed') && ++kept === Number(at))
    for (const signal of signals) process.kill(process.pid, signal);
};
syncBuiltinESMExports();

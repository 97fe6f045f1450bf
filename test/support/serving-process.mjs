// A process of a pool, for tests: it says who it is, dies as it is told, or fills its memory.
import { readFileSync } from 'node:fs';
import { serveTasks } from '../../dist/extract/isolated/serve-tasks.js';

const adjustment = () => {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
  } catch {
    return undefined;
  }
};

serveTasks(async ({ do: what, signal }, bytes) => {
  if (what === 'die') process.kill(process.pid, signal);
  if (what === 'leave') process.exit(7);
  if (what === 'hang') for (;;);
  if (what === 'fill') for (const kept = []; ; kept.push(Buffer.alloc(2 ** 24, 1)));
  console.log('what is printed');
  console.error('goes nowhere');
  return { content: { pid: process.pid, adjustment: adjustment() }, bytes };
});

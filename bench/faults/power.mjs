// What is left after power cuts, 50 a command, on an ext4 file system whose log is not flushed: the tests of
// test/faults/power.test.ts with more cuts. Needs root, gcc, mkfs.ext4 and loop devices; takes an hour on two cores.
//   node bench/faults/power.mjs [CUTS [COMMAND]]
import { spawnSync } from 'node:child_process';

const [cuts = '50', only] = process.argv.slice(2);
const { status } = spawnSync('npx', ['vitest', 'run', 'test/faults/power.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, POWER_CUTS: cuts, ...(only !== undefined && { POWER_ONLY: only }) },
});
process.exit(status ?? 1);

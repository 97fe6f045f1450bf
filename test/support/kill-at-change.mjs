// Preloaded into a process of the built program (node --import): it kills itself (SIGKILL) before the n-th change that it
// makes to the file system, n from the environment variable KILL_AT; 0: never. Writes the number of changes that it made
// into the file CHANGES when it ends by itself.
import { writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const killAt = Number(process.env['KILL_AT']);
let changes = 0;

function step() {
  if (++changes !== killAt) return;
  process.kill(process.pid, 'SIGKILL');
  for (;;); // Nothing more happens, however long the signal takes.
}

for (const name of ['mkdir', 'rename', 'rm', 'link', 'copyFile', 'writeFile']) {
  const original = fs[name];
  fs[name] = (...args) => {
    step();
    return original(...args);
  };
}
const open = fs.open;
fs.open = (path, flags, ...rest) => {
  if (flags !== 'r' && flags !== undefined) step();
  return open(path, flags, ...rest);
};
syncBuiltinESMExports();
const { CHANGES } = process.env;
if (CHANGES !== undefined) process.on('exit', () => writeFileSync(CHANGES, String(changes)));

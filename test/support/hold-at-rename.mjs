// Preloaded into a process (--import): it stands still before the first rename to a name that ends with HOLD_AT, its
// heartbeat too, until the file HOLD_UNTIL is there; meanwhile the file HELD is.
import { existsSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { HOLD_AT, HOLD_UNTIL, HELD } = process.env;
const rename = fs.rename;
let isHeld = false;
fs.rename = (from, to) => {
  if (!isHeld && String(to).endsWith(HOLD_AT)) {
    isHeld = true;
    writeFileSync(HELD, '');
    const still = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(HOLD_UNTIL)) Atomics.wait(still, 0, 0, 20);
  }
  return rename(from, to);
};
syncBuiltinESMExports();

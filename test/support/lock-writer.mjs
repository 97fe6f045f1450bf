// A process that takes the lock of a store through the build and says how that went, then does what it is told to on
// stdin, a line each: "write NAME" (a file of the store, atomically), "release", "end".
// Argument: JSON with dist (URL of the build), store, request, settings (as for lockStore; `self` is completed with
// this process), noLinks (true: the disk has no hard links), host (another name of the host), shiftMs (its clock goes
// wrong by so much), stopAt (it stops itself, as SIGSTOP does, just before it renames a file; `way`: "to" or "from"
// that `name`).
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

const { dist, store, request = {}, settings, noLinks = false, host, shiftMs = 0, stopAt } = JSON.parse(process.argv[2]);
if (host !== undefined) os.hostname = () => host;
const clock = Date.now;
Date.now = () => clock() + shiftMs;
if (stopAt !== undefined) {
  const { rename } = fs;
  fs.rename = (from, to) => {
    const { way, name } = stopAt;
    if (basename(String(way === 'to' ? to : from)) === name) process.kill(process.pid, 'SIGSTOP');
    return rename(from, to);
  };
}
if (noLinks) {
  fs.link = () => Promise.reject(Object.assign(new Error('EPERM: no links'), { code: 'EPERM' }));
}
syncBuiltinESMExports();
const { lockStore } = await import(`${dist}/store/write/lock.js`);
const { writeFileAtomic } = await import(`${dist}/store/format/atomic-file.js`);
const { ownIdentity } = await import(`${dist}/store/format/lock/process-identity.js`);

/** @param {unknown} result */
const say = (result) => console.log(JSON.stringify(result));
/** @type {string[]} */
const notes = [];
const given = { ...request, note: (/** @type {string} */ text) => notes.push(text) };
const rules = settings && { ...settings, self: { ...ownIdentity(), ...settings.self } };
try {
  const lock = await lockStore(store, 'test', given, rules);
  say({ said: 'locked', notes });
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, name] = line.split(' ');
    if (what === 'end') break;
    try {
      if (what === 'write') await writeFileAtomic(join(store, String(name)), [Buffer.from('x')]);
      else await lock.release();
      say({ said: 'done' });
    } catch (error) {
      say({ said: error.code, message: error.message });
    }
  }
} catch (error) {
  say({ said: error.code, message: error.message });
}
process.exit();

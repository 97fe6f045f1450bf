// Preloaded into a process of the built program (node --import): it kills itself (SIGKILL) while it publishes a unit to
// S3. KILL_AT says when: a number n, before the n-th file of it is written; "seal", before its seal is; "sealed", once
// the storage has answered that the seal is there.
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_AT } = process.env;
let files = 0;

function die() {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // Nothing more happens, however long the signal takes.
}

const original = http.request;
http.request = (...args) => {
  const { method, path = '' } = args[0];
  const isSeal = method === 'PUT' && /\/u-\d+\.json/.test(path);
  // A worker's signs of life begin with a dot, and are no files of a unit.
  if (method === 'PUT' && /\/u-\d+\//.test(path) && ++files === Number(KILL_AT)) die();
  if (isSeal && KILL_AT === 'seal') die();
  const request = original(...args);
  if (isSeal && KILL_AT === 'sealed') request.on('response', die);
  return request;
};
syncBuiltinESMExports();

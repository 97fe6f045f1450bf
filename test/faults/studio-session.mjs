// @ts-check
// A studio in this process, and a person's work in it: node studio-session.mjs DIST STORE IMAGES
// Each change that the studio said is done is printed at once, a line of JSON each: the entry of a journal that it stands
// for, or the path that was saved. A refusal is printed as {"refused": …}. IMAGES: a folder of PNG files.
import { readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const [dist, store, images] = /** @type {[string, string, string]} */ (process.argv.slice(2));
/** @type {typeof import('../../src/studio/server/server.ts')} */
const { serveStudio } = await import(new URL('studio/server/server.js', dist).href);

const say = (/** @type {object} */ what) => writeSync(1, `${JSON.stringify(what)}\n`);
const studio = await serveStudio(
  store,
  { port: 0 },
  { listener: { note: (text) => void writeSync(2, `${text}\n`) } },
).catch((error) => {
  writeSync(2, `${error.code === undefined ? error.stack : `${error.message} [${error.code}]`}\n`);
  process.exit(1);
});
const { token, origin } = {
  token: new URL(studio.address).searchParams.get('token'),
  origin: new URL(studio.address).origin,
};

/**
 * One request. `done`: what its answer promises.
 * @param {string} method @param {string} path @param {object} [body] @param {(answer: any) => object} [done]
 * @returns {Promise<any>} the answer, undefined where it was refused
 */
async function ask(method, path, body, done) {
  const answer = await fetch(`${origin}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
  });
  const found = /** @type {any} */ (await answer.json());
  if (!answer.ok) say({ refused: `${method} ${path}: ${answer.status} ${found.code} ${found.message}` });
  else if (done !== undefined) say(done(found));
  return answer.ok ? found : undefined;
}
const teach = (/** @type {object} */ entry) => () => ({ file: 'teach.jsonl', entry });
const review = (/** @type {object} */ entry) => () => ({ file: 'review.jsonl', entry });
const saved = (/** @type {{ path: string }} */ { path }) => ({ saved: path });
/** The number of a class now; -1 where making it was refused. @param {string} name */
async function idOf(name) {
  const state = await ask('GET', '/teach');
  return state?.classes.find((/** @type {{ name: string }} */ one) => one.name === name)?.id ?? -1;
}

/** Where there is something to take back, it promises an entry. @param {string} path @param {typeof teach} entryOf */
async function undo(path, entryOf) {
  const state = await ask('GET', path);
  await ask('POST', `${path}/undo`, undefined, state?.canUndo === true ? entryOf({ do: 'undo' }) : undefined);
}

const files = readdirSync(images)
  .filter((name) => name.endsWith('.png'))
  .sort();
for (const [i, name] of ['first', 'second'].entries()) {
  await ask('POST', '/teach/classes', { name }, teach({ do: 'add-class', name }));
  const file = /** @type {string} */ (files[i]);
  const added = teach({ do: 'add-image', name: file });
  await ask(
    'POST',
    `/teach/classes/${await idOf(name)}/images?name=${file}`,
    new Uint8Array(readFileSync(join(images, file))),
    added,
  );
}
await ask(
  'PATCH',
  `/teach/classes/${await idOf('second')}`,
  { name: 'other' },
  teach({ do: 'rename-class', name: 'other' }),
);
await ask('POST', '/teach/classes', { name: 'third' }, teach({ do: 'add-class', name: 'third' }));
await undo('/teach', teach);
const { rows, snapshot } = (await ask('GET', '/images')) ?? { rows: [], snapshot: '' };
for (const label of ['mine', 'yours']) {
  const [{ row, path }] = rows;
  await ask('PUT', `/images/${snapshot}/${row}/label`, { label }, review({ do: 'decide', path, label }));
}
await undo('/review', review);
await ask('POST', '/review/save', undefined, saved);
for (const as of ['dataset', 'head']) await ask('POST', '/teach/save', { as, name: 'saved' }, saved);
await ask('POST', '/heads', { head: 'centroid', pooling: 'avg' }, (/** @type {{ id: string }} */ { id }) => ({
  saved: join(store, 'heads', id),
}));
try {
  await studio.close();
} catch (error) {
  writeSync(2, `${/** @type {any} */ (error).message} [${/** @type {any} */ (error).code ?? 'INTERNAL'}]\n`);
  process.exit(1);
}

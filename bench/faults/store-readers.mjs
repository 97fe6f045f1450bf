// @ts-check
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from '../store/dist.mjs';
import { storedMatrices } from '../stored-matrices.mjs';

const { inspect } = await dist('workflows/care/inspect.js');
const { train } = await dist('workflows/train/train.js');
const { pastRun } = await dist('workflows/run/past-run.js');
const { openStore } = await dist('store/open.js');
const { currentSets } = await dist('store/read/stored-parts.js');
const { readHead } = await dist('store/read/heads/head-file.js');
const { readJournal } = await dist('store/format/journal.js');
const { JOURNALS, journalPath } = await dist('store/format/studio-files.js');
const { openLedger } = await dist('store/format/sweep-ledger.js');
const { kindOf } = await dist('store/format/file-kinds.js');

/** @param {Uint8Array | string} bytes */
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Samples and every number of a store's data set. @param {string} path */
async function content(path) {
  const store = await openStore(path);
  const parts = [digest(JSON.stringify([...(await store.samples())]))];
  for (const { set, poolings } of currentSets(store))
    for (const pooling of poolings) {
      const part = { cut: set.settings.cut, pooling };
      for (const [, { X }] of await storedMatrices(store, [part], ['train', 'val'], 0))
        parts.push(digest(new Uint8Array(X.data.buffer)));
    }
  return parts;
}

/**
 * Who reads a store, each with what it makes of it that must not change; what of it took how long is left out.
 * @param {string} whole
 * @returns {Readonly<Record<string, (store: string) => Promise<unknown>>>}
 */
export function readersOf(whole) {
  const heads = readdirSync(join(whole, 'heads')).filter((name) => name.endsWith('.safetensors'));
  const ledgers = readdirSync(join(whole, 'sweeps')).filter((name) => name.endsWith('.jsonl'));
  const known = new Map();
  return {
    inspect: async (store) => {
      const { images, classes, sets } = await inspect(store);
      return { images, classes, rows: sets.map((/** @type {{ rows: number }} */ set) => set.rows) };
    },
    content,
    train: async (store) => {
      const out = `${store}-head.safetensors`;
      const { accuracy } = await train(store, { head: 'centroid', probeImages: 0, out });
      return { accuracy, digest: (await readHead(out)).digest };
    },
    heads: async (store) => Promise.all(heads.map(async (name) => (await readHead(join(store, 'heads', name))).digest)),
    run: (store) => pastRun(store),
    journals: (store) =>
      Promise.all(
        Object.entries(JOURNALS).map(
          async ([name, schema]) => (await readJournal(journalPath(store, name), schema)).entries,
        ),
      ),
    // Lines that are damaged are computed again; none may say other things than before.
    sweeps: async (store) => {
      let others = 0;
      for (const name of ledgers) {
        const ledger = await openLedger(join(store, 'sweeps', name));
        await ledger.close();
        for (const [id, entry] of ledger.entries) {
          const text = JSON.stringify(entry);
          if (!known.has(id)) known.set(id, text);
          if (known.get(id) !== text) others++;
        }
      }
      return others;
    },
  };
}

/** Whether a damage may go unnoticed: nothing proves the file, or it is gone and whoever needs it makes it again. */
export function isFree(/** @type {string} */ name, /** @type {string} */ damage) {
  const { proof, remedy, kind, isSealed } = kindOf(name);
  if (proof === 'none') return true;
  if (damage !== 'removed') return false;
  return (
    (remedy === 'remove' && isSealed !== true) || kind === 'seal' || kind === 'manifest copy' || kind === 'fine-tuning'
  );
}

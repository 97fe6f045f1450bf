// @ts-check
import { join } from 'node:path';
import { dist } from '../store/dist.mjs';

/**
 * Writes the shards of a store anew as older versions did, with the labels and splits of that day, so that `migrate`
 * has something to do. The old ones go when the manifest names the new ones, as with every writer.
 * @param {string} store
 */
export async function writeLabelledShards(store) {
  const { lockStore } = await dist('store/write/lock.js');
  const { openForWriting } = await dist('store/write/store.js');
  const { writeManifest } = await dist('store/format/manifest-file.js');
  const { isLabelled } = await dist('store/format/manifest.js');
  const { shardFileNames, shardNumber, shardStem, writeSeal } = await dist('store/write/shard-files.js');
  const { writeFileAtomic, removeFile } = await dist('store/format/atomic-file.js');
  const { storeAt } = await dist('store/open.js');
  const lock = await lockStore(store, 'an older version');
  try {
    const draft = await openForWriting(store, '0.0.0');
    /** @type {Map<string, { label: string; split: string }>} */
    const known = new Map();
    for (const sample of await storeAt(draft).samples()) known.set(sample.sha256, sample);
    /** @type {string[]} */
    const stale = [];
    for (const set of draft.manifest.sets) {
      for (const [i, shard] of set.shards.entries()) {
        if (isLabelled(shard)) continue;
        const stem = shardStem(set, Math.max(-1, ...set.shards.map(shardNumber)) + 1);
        /** @type {Record<string, unknown>} */
        const files = {};
        for (const [kind, entry] of Object.entries(shard.files)) {
          const name = `${stem}-${kind}.arrow`;
          files[kind] = { name, ...(await writeFileAtomic(join(store, name), await labelled(store, entry, known))) };
        }
        const made = { rows: shard.rows, files };
        set.shards[i] = made;
        await writeSeal(store, set, made);
        stale.push(...shardFileNames(shard));
      }
    }
    await writeManifest(draft);
    for (const name of stale) await removeFile(join(store, name));
  } finally {
    await lock.release();
  }
}

/**
 * The bytes of a file of a shard, with labels and splits.
 * @param {string} store @param {any} entry @param {ReadonlyMap<string, { label: string; split: string }>} known
 */
async function labelled(store, entry, known) {
  const { encodeArrow } = await dist('store/format/arrow-file.js');
  const { decodeShard, shardMetadata } = await dist('store/format/shard.js');
  const { readVerified } = await dist('store/read/file.js');
  const bytes = await readVerified(store, entry);
  const batches = [...decodeShard(bytes, entry.name)].map(({ rows, features }) => ({
    rows: rows.length,
    columns: [
      ...['id', 'path', 'label', 'split', 'sha256'].map((name) => ({
        name,
        texts: rows.map(
          (/** @type {any} */ row) => row[name] ?? known.get(row.sha256)?.[/** @type {'label'} */ (name)] ?? 'train',
        ),
      })),
      ...['width', 'height'].map((name) => ({
        name,
        numbers: Uint32Array.from(rows, (/** @type {any} */ row) => row[name]),
      })),
      { name: 'orientation', numbers: Uint8Array.from(rows, (/** @type {any} */ row) => row.orientation) },
      ...(features === undefined ? [] : [{ name: 'features', features }]),
    ],
  }));
  return encodeArrow(batches, shardMetadata(bytes, entry.name));
}

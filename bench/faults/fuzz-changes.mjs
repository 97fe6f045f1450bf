// @ts-check
// Changes of one file of a store, after which every digest is right again.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from '../store/dist.mjs';

/** @typedef {{ below(n: number): number }} Generator */

const { sha256Hex, canonicalJson } = await dist('core/digest.js');
const { sealJson } = await dist('store/format/sealed-json.js');
const { readManifest } = await dist('store/format/manifest-file.js');
const { writeSeal, sealName } = await dist('store/write/shard-files.js');
const { headDigest } = await dist('store/read/heads/head-digest.js');
const { writeSafetensors, readSafetensors } = await dist('core/safetensors.js');

/** What is put in a value's place. */
const VALUES = [
  ...[null, true, false, '', 'x', '__proto__', 'constructor', '../../x', '\ud800', [], {}, [null], ['a'], [[[]]]],
  ...[-1, 0, 1, 2, 3, 7, 0.5, -0.5, 1e9, 2 ** 31, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER, 1e300, 1e308],
  ...['l2', 'none', 'standard', 'avg', 'flatten', 'train', 'val', 'f'.repeat(64), '0'.repeat(16)],
];

/** @template T @param {readonly T[]} list @param {Generator} of @returns {T} */
const oneOf = (list, of) => /** @type {T} */ (list[of.below(list.length)]);

/** @param {any} value @param {(string | number)[]} at @returns {(string | number)[][]} */
const pathsIn = (value, at = []) =>
  value === null || typeof value !== 'object'
    ? []
    : Object.keys(value).flatMap((key) => [[...at, key], ...pathsIn(value[key], [...at, key])]);

/** Changes one or two values of a JSON document. @param {any} document @param {Generator} of */
function changeJson(document, of) {
  const told = [];
  for (let n = 1 + of.below(2); n > 0; n--) {
    const paths = pathsIn(document);
    if (paths.length === 0) break;
    const path = oneOf(paths, of);
    const inside = path.slice(0, -1).reduce((value, key) => value[key], document);
    const key = /** @type {string} */ (path.at(-1));
    const way = of.below(10);
    if (way === 0) delete inside[key];
    else if (way === 1 && Array.isArray(inside)) inside.push(structuredClone(inside[Number(key)]));
    else if (way < 4 && typeof inside[key] === 'number')
      inside[key] = oneOf([inside[key] * 2, -inside[key], inside[key] + 1, 2 ** 50], of);
    else inside[key] = structuredClone(oneOf(VALUES, of));
    told.push(`${path.join('.')} = ${JSON.stringify(inside[key])}`);
  }
  return told.join(', ');
}

/**
 * Changes some bytes, mostly whole numbers at the ends, where the structure is.
 * @param {Buffer} bytes
 * @param {Generator} of
 */
function changeBytes(bytes, of) {
  const told = [];
  let changed = Buffer.from(bytes);
  for (let n = 1 + of.below(3); n > 0; n--) {
    const near = of.below(3);
    const span = Math.min(changed.length, 900);
    const at =
      near === 0 ? of.below(changed.length) : near === 1 ? of.below(span) : changed.length - 1 - of.below(span);
    const [four, eight] = [Math.min(at & ~3, changed.length - 4), Math.min(at & ~7, changed.length - 8)];
    switch (of.below(6)) {
      case 0:
        changed.writeUInt8((changed[at] ?? 0) ^ (1 << of.below(8)), at);
        break;
      case 1:
        changed[at] = oneOf([0, 1, 2, 3, 4, 8, 16, 127, 128, 255], of);
        break;
      case 2:
        changed.writeInt32LE(oneOf([-1, 0, 1, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, 65536], of), four);
        break;
      case 3:
        changed.writeBigInt64LE(oneOf([-1n, 0n, 1n, 2n ** 62n, 2n ** 40n, 2n ** 31n, -(2n ** 63n)], of), eight);
        break;
      case 4:
        changed.writeFloatLE(oneOf([NaN, Infinity, -Infinity, 3e38, 1e-45], of), four);
        break;
      default:
        changed = Buffer.concat([
          changed.subarray(0, at),
          changed.subarray(Math.min(changed.length, at + 1 + of.below(8))),
        ]);
    }
    told.push(String(at));
  }
  return { changed, told: `bytes at ${told.join(', ')}` };
}

/** @param {Buffer} bytes */
const factsOf = (bytes) => ({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });

/** @param {string} store @param {any} manifest */
const putManifest = (store, manifest) => writeFileSync(join(store, 'manifest.json'), sealJson(manifest));

/** @param {string} store @param {string} folder @param {RegExp} name @returns {string[]} */
const filesIn = (store, folder, name) =>
  readdirSync(join(store, folder))
    .filter((one) => name.test(one))
    .sort()
    .map((one) => join(store, folder, one));

/** @param {any} document @returns {any} */
function withoutDigest({ digest, ...document }) {
  void digest;
  return document;
}

/** A document with its own digest in a field, changed and sealed again. @param {string} file @param {Generator} of */
function changeSealed(file, of) {
  const document = withoutDigest(JSON.parse(readFileSync(file, 'utf8')));
  const told = changeJson(document, of);
  writeFileSync(file, sealJson(document));
  return told;
}

/** @param {string} file @param {Generator} of */
function changeHead(file, of) {
  const { metadata, tensors } = readSafetensors(readFileSync(file), { name: file, code: 'HEAD_CORRUPT' });
  const document = withoutDigest(JSON.parse(metadata.permafrost));
  let told = '';
  if (of.below(3) > 0) told = changeJson(document, of);
  else {
    const name = oneOf([...tensors.keys()], of);
    const { shape, data, dtype } = tensors.get(name);
    const way = of.below(6);
    const Kind = data.constructor;
    const other = [
      () => undefined,
      () => ({ dtype, shape: [data.length >> 1], data: data.slice(0, data.length >> 1) }),
      () => ({ dtype, shape, data: data.slice().fill(NaN) }),
      () => ({ dtype, shape, data: data.slice().fill(-(2 ** 31)) }),
      () => ({ dtype, shape: [...shape].reverse(), data }),
      () => ({ dtype, shape: [0], data: new Kind(0) }),
    ][way]?.();
    if (other === undefined) tensors.delete(name);
    else tensors.set(name, other);
    told = `tensor ${name} in the way ${way}`;
  }
  const permafrost = JSON.stringify({ ...document, digest: headDigest(document, tensors) });
  writeFileSync(file, writeSafetensors(tensors, { permafrost }));
  return told;
}

/**
 * Lines of JSON: one entry changed, all digests right.
 * @param {string} file
 * @param {Generator} of
 * @param {boolean} chained
 */
function changeLines(file, of, chained) {
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  if (lines.length === 0) return 'nothing';
  const line = oneOf(lines, of);
  const told = changeJson(chained ? line : line, of);
  let before = '';
  const written = lines.map((one) => {
    if (!chained) {
      const entry = withoutDigest(one);
      return JSON.stringify({ ...entry, digest: sha256Hex(canonicalJson(entry)) });
    }
    before = sha256Hex(`${before}\n${canonicalJson(one.entry ?? null)}`).slice(0, 16);
    return JSON.stringify({ ...one, digest: before });
  });
  writeFileSync(file, `${written.join('\n')}\n`);
  return told;
}

/** @type {Record<string, (store: string, of: Generator) => Promise<string> | string>} */
const CHANGES = {
  async arrow(store, of) {
    const manifest = await readManifest(store);
    const set = oneOf(manifest.sets, of);
    const shard = oneOf(set.shards, of);
    const kind = oneOf(['rows', 'avg', 'samples'], of);
    const entry = kind === 'samples' ? manifest.dataset.samples : shard.files[kind];
    const { changed, told } = changeBytes(readFileSync(join(store, entry.name)), of);
    writeFileSync(join(store, entry.name), changed);
    Object.assign(entry, factsOf(changed));
    putManifest(store, manifest);
    await writeSeal(store, set, shard);
    return `${kind}: ${told}`;
  },
  manifest: (store, of) => changeSealed(join(store, 'manifest.json'), of),
  async seals(store, of) {
    const manifest = await readManifest(store);
    const shard = oneOf(oneOf(manifest.sets, of).shards, of);
    rmSync(join(store, 'manifest.json'));
    return changeSealed(join(store, sealName(shard)), of);
  },
  head: (store, of) => changeHead(oneOf(filesIn(store, 'heads', /\.safetensors$/), of), of),
  index(store, of) {
    const file = oneOf(filesIn(store, 'indexes', /\.bin$/), of);
    const sealFile = file.replace(/bin$/, 'json');
    const seal = withoutDigest(JSON.parse(readFileSync(sealFile, 'utf8')));
    const { changed, told } = changeBytes(readFileSync(file), of);
    writeFileSync(file, changed);
    seal.file = { ...seal.file, ...factsOf(changed) };
    writeFileSync(sealFile, sealJson(seal));
    return told;
  },
  'index-seal': (store, of) => changeSealed(oneOf(filesIn(store, 'indexes', /\.json$/), of), of),
  journal: (store, of) => changeLines(oneOf(filesIn(store, 'studio', /\.jsonl$/), of), of, true),
  looks: (store, of) => changeLines(join(store, 'looks.jsonl'), of, false),
  answers: (store, of) => changeSealed(oneOf(filesIn(store, 'heads', /\.answers\.json$/), of), of),
  results: (store, of) => {
    const file = join(store, 'results.json');
    const document = JSON.parse(readFileSync(file, 'utf8'));
    const told = changeJson(document, of);
    writeFileSync(file, JSON.stringify(document));
    return told;
  },
};

export const KINDS = Object.keys(CHANGES);

/** Changes a store in one way. @param {string} kind @param {string} store @param {Generator} of */
export const change = async (kind, store, of) => /** @type {any} */ (CHANGES)[kind](store, of);

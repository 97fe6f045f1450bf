// @ts-check
// A small store with something in each of its files: what fuzz.mjs changes.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DIST, dist } from '../store/dist.mjs';

const MAIN = fileURLToPath(new URL('cli/main.js', DIST));
const sharp = createRequire(import.meta.url)('sharp');

/**
 * Pictures of stripes and noise in two classes.
 * @param {string} folder
 * @param {number} count of each class and split
 */
export async function pictures(folder, count) {
  const { random } = await dist('core/random.js');
  const generator = random(7);
  for (const [s, split] of ['Train', 'Val'].entries()) {
    for (const [c, label] of ['across', 'down'].entries()) {
      mkdirSync(join(folder, split, label), { recursive: true });
      for (let i = 0; i < count; i++) {
        const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, at) => {
          const [x, y] = [Math.floor(at / 3) % 64, Math.floor(at / 192)];
          return ((c === 0 ? x : y) % (8 + i) < 4 ? 180 : 20) + generator.below(40) + s;
        });
        const raw = { width: 64, height: 64, channels: 3 };
        await sharp(data, { raw })
          .png()
          .toFile(join(folder, split, label, `${i}.png`));
      }
    }
  }
  return folder;
}

/** Runs the command line. @param {readonly string[]} args */
export function permafrost(args) {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args, '--quiet'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
}

/** The store, in `folder`. @param {string} folder @returns {Promise<string>} */
export async function baseStore(folder) {
  const data = await pictures(join(folder, 'data'), 6);
  const store = join(folder, 'base');
  const cut = ['--engine', 'onnxruntime', '--cut', 'block1_pool:avg'];
  permafrost(['run', data, '--store', store, ...cut]);
  permafrost(['neighbors', store, join(data, 'Val', 'down', '0.png'), '--index', 'hnsw']);
  const { canonicalJson, sha256Hex } = await dist('core/digest.js');
  const files = await dist('store/format/studio-files.js');
  const sha256 = 'a'.repeat(64);
  const id = 1;
  const teach = [
    { do: 'add-class', id, name: 'fox' },
    { do: 'rename-class', id, name: 'red fox' },
    { do: 'add-image', id: 2, class: id, name: 'a.png', sha256 },
    { do: 'undo' },
  ];
  const review = [{ do: 'decide', root: data, path: 'Val/down/0.png', sha256, label: 'across' }, { do: 'undo' }];
  mkdirSync(join(store, files.STUDIO_FOLDER));
  for (const [name, schema, entries] of /** @type {const} */ ([
    ['teach.jsonl', files.teachSchema, teach],
    ['review.jsonl', files.reviewSchema, review],
  ])) {
    let before = '';
    const lines = entries.map((entry) => {
      before = sha256Hex(`${before}\n${canonicalJson(schema.parse(entry))}`).slice(0, 16);
      return JSON.stringify({ entry, digest: before });
    });
    writeFileSync(files.journalPath(store, name), `${lines.join('\n')}\n`);
  }
  return store;
}

// Splits the VGG16 base into shards under 50 MB each and writes the index beside them, with the size and SHA-256 of each shard.
//   npm run build && node data/weights/make-shards.mjs vgg16-imagenet-notop.safetensors
// Prints the digest of the tensors, which src/extract/weights/carried.ts states.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { writeSafetensors } from '../../dist/core/safetensors.js';
import { vgg16 } from '../../dist/extract/backbones/vgg16.js';
import { loadWeights } from '../../dist/extract/weights/load-weights.js';

const { tensors, digest } = await loadWeights({ backbone: vgg16, file: process.argv[2] });
const groups = [/^block[1-4]_/, /^block5_/];
const index = { metadata: { backbone: vgg16.name, digest, notice: 'NOTICE' }, weight_map: {}, shards: {} };
groups.forEach((pattern, i) => {
  const part = [...tensors].filter(([name]) => pattern.test(name));
  const file = `vgg16-imagenet-0000${i + 1}-of-0000${groups.length}.safetensors`;
  const bytes = writeSafetensors(new Map(part.map(([name, tensor]) => [name, { dtype: 'F32', ...tensor }])));
  for (const [name] of part) index.weight_map[name] = file;
  index.shards[file] = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  writeFileSync(new URL(file, import.meta.url), bytes);
});
writeFileSync(new URL('vgg16-imagenet.safetensors.index.json', import.meta.url), `${JSON.stringify(index, null, 2)}\n`);
console.log(digest);

// Runs a program in a process of its own, so that a crash of a GPU's driver is seen and harms nobody: node run-program.mjs ENGINE-OPTIONS IN OUT
// IN and OUT are v8-serialized: { program, pixels, counts } and the data of each count's matrices.
import { readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { createEngine } from '../../dist/extract/engines/index.js';

const [options, from, to] = process.argv.slice(2);
const { program, pixels, counts } = deserialize(readFileSync(from));
const engine = await createEngine('onnxruntime', JSON.parse(options));
const loaded = await engine.load(program);
const found = [];
for (const count of counts) found.push((await loaded.run(pixels, count)).map(({ data }) => data));
await loaded.dispose();
writeFileSync(to, serialize(found));

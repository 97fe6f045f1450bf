// @ts-check
// Runs a program in a process of its own, so that a crash of a GPU's driver is seen and harms nobody:
// node run-program.mjs ENGINE-OPTIONS IN OUT. IN and OUT are serialized by node:v8: { program, pixels, counts }, and
// for each count the data of its matrices.
import { readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';

const [, , json = '{}', from = '', to = ''] = process.argv;
/** @type {typeof import('../../src/extract/engines/index.ts')} */
const { createEngine } = await import('../../dist/extract/engines/index.js');
/** @type {{ program: import('../../src/extract/program.ts').Program, pixels: Uint8Array, counts: number[] }} */
const work = deserialize(readFileSync(from));
/** @type {Record<string, unknown>} */
const options = JSON.parse(json);
const engine = await createEngine('onnxruntime', options);
const loaded = await engine.load(work.program);
const found = [];
for (const count of work.counts) found.push((await loaded.run(work.pixels, count)).map(({ data }) => data));
await loaded.dispose();
writeFileSync(to, serialize(found));

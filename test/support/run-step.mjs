// @ts-check
// Runs one step of training in a process of its own, so that a crash of a GPU's driver is seen and harms nobody:
// node run-step.mjs TRAINER-OPTIONS IN OUT. IN and OUT are serialized by node:v8: { program, values }, and
// { loss, gradients }.
import { readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';

const [, , json = '{}', from = '', to = ''] = process.argv;
/** @type {typeof import('../../src/extract/engines/trainers.ts')} */
const { createTrainer } = await import('../../dist/extract/engines/trainers.js');
/** @type {{ program: import('../../src/extract/training.ts').TailProgram, values: Map<string, Float32Array> }} */
const { program, values } = deserialize(readFileSync(from));
/** @type {Record<string, unknown>} */
const options = JSON.parse(json);
const trainer = await createTrainer('onnxruntime', options);
const step = await trainer.loadStep(program);
step.x.set(values.get('x') ?? []);
step.y.set(values.get('y') ?? []);
for (const [name, array] of step.parameters) array.set(values.get(name) ?? []);
const loss = await step.run();
writeFileSync(to, serialize({ loss, gradients: step.gradients }));
await step.dispose();

// @ts-check
// One process of bench/finetune/run.mjs: the fastest product of two float32 matrices of 2048 x 2048 on ONNX Runtime, of
// ten. Prints a line of JSON.
const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/core/onnxruntime.ts')} */
const { createSession, onnxRuntime } = await import(dist('core/onnxruntime.js'));

const SIDE = 2048;
const { Tensor } = await onnxRuntime();
const shape = [SIDE, SIDE];
const session = await createSession({
  name: 'product',
  nodes: [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
  inputs: ['a', 'b'].map((name) => ({ name, type: /** @type {const} */ ('float32'), shape })),
  outputs: [{ name: 'c', type: 'float32', shape }],
  initializers: [],
});
const matrix = () => new Tensor('float32', Float32Array.from({ length: SIDE * SIDE }, Math.random), shape);
const [feeds, fetches] = [{ a: matrix(), b: matrix() }, { c: matrix() }];
let fastest = Infinity;
for (let i = 0; i < 10; i++) {
  const began = performance.now();
  await session.run(feeds, fetches);
  fastest = Math.min(fastest, performance.now() - began);
}
console.log(JSON.stringify({ gflops: (2 * SIDE ** 3) / 1e6 / fastest }));

// @ts-check
// One training of stream.mjs in a process of its own: node stream-train.mjs STORE HEAD MEMORY OUT
import { train } from '../../dist/index.js';

const [store = '', head = '', memory = '', out = ''] = process.argv.slice(2);
const options = { head, memory, out, pooling: 'flatten', normalize: 'l2', reject: 0 };
const result = await train(store, /** @type {Parameters<typeof train>[1]} */ (options), {}, {
  listener: { note: (text) => console.error(text) },
});
const { accuracy, logLoss, notes } = result;
// In KiB, of the whole life of the process.
console.log(JSON.stringify({ peak: process.resourceUsage().maxRSS * 1024, accuracy, logLoss, notes }));

// @ts-check
// One training of stream.mjs in a process of its own: node stream-train.mjs STORE HEAD MEMORY OUT EPOCHS PCA (0: the
// default)
import { train } from '../../dist/index.js';

const [store = '', head = '', memory = '', out = '', epochs = '0', pca = '0'] = process.argv.slice(2);
const byEpochs = head === 'softmax' || head === 'mlp';
/** @type {string[]} */
const told = [];
const options = { head, memory, out, pooling: 'flatten', normalize: 'l2', reject: 0, pca: Number(pca) };
const result = await train(
  store,
  /** @type {Parameters<typeof train>[1]} */ (options),
  byEpochs && epochs !== '0' ? { maxEpochs: Number(epochs) } : {},
  {
    listener: { note: (text) => void told.push(text) },
  },
);
const { accuracy, logLoss, notes } = result;
// In KiB, of the whole life of the process.
const estimate = / about ([\d.]+) GB\.$/.exec(told.at(-1) ?? '')?.[1];
console.log(JSON.stringify({ peak: process.resourceUsage().maxRSS * 1024, estimate, accuracy, logLoss, notes }));

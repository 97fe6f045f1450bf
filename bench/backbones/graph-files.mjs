// @ts-check
import { writeFileSync } from 'node:fs';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/workflows/network/frozen-network.ts')} */
const { frozenNetwork } = await import(dist('workflows/network/frozen-network.js'));
/** @type {typeof import('../../src/extract/onnx/graph-model.ts')} */
const { graphModel } = await import(dist('extract/onnx/graph-model.js'));

/** @type {typeof import('../../src/workflows/network/cuts.ts')} */
const { parseCuts } = await import(dist('workflows/network/cuts.js'));

/**
 * Writes a graph as permafrost gives it to ONNX Runtime, cut and pooled as it is by default, and its
 * contract as JSON.
 * @param {string} name of a bundled graph, or an ONNX file
 * @param {{ model: string, contract: string }} files
 */
export async function writeGraph(name, files) {
  const { backbone, contract } = await frozenNetwork({ backbone: name, contract: '', weights: '', cut: '' });
  if ('layers' in backbone) throw new Error(`${name} is a list of layers.`);
  const [primary] = parseCuts('', backbone);
  const outputs = (primary?.poolings ?? []).slice(0, 1).map((pooling) => ({ cut: String(primary?.cut), pooling }));
  writeFileSync(files.model, graphModel({ backbone, contract, outputs }));
  writeFileSync(files.contract, JSON.stringify(contract));
}

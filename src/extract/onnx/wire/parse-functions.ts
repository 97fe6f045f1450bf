import type { WireFunction, WireNode } from '../../backbones/onnx-file.ts';
import { MOST_NODES, parseNode, type NodeSource } from './parse-node.ts';
import { bytesIn, fieldsOf, textIn, type WireSource } from './wire.ts';

/** A function, and the nodes that it stands for. */
export type ParsedFunction = WireFunction & { readonly nodes: readonly WireNode[] };

/** A FunctionProto: 1 name, 7 node, 10 domain. */
export function parseFunction(bytes: Uint8Array, source: NodeSource): ParsedFunction {
  let [name, domain] = ['', ''];
  const nodes: WireNode[] = [];
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) name = textIn(field, source);
    else if (field.id === 10) domain = textIn(field, source);
    else if (field.id === 7) nodes.push(parseNode(bytesIn(field, source), source));
  }
  return { name, domain, bytes, nodes };
}

/** Calls within calls: PyTorch's exporter writes three. */
const MOST_CALLS = 64;

const keyOf = (domain: string, name: string): string => `${domain}::${name}`;

/**
 * Fails where functions written out, as runtimes write them, have no end or become more nodes than a network has: some
 * kilobytes can stand for any number. (Of nodes within subgraphs of functions that call functions, runtimes see.)
 */
export function checkExpansion(
  nodes: readonly WireNode[],
  functions: readonly ParsedFunction[],
  { fail }: WireSource,
): void {
  const byKey = new Map(functions.map((one) => [keyOf(one.domain, one.name), one]));
  if (byKey.size < functions.length) fail('a function that is defined twice');
  const sizes = new Map<string, number>();
  const open = new Set<string>();
  const sizeOf = (called: readonly WireNode[]): number =>
    called.reduce((sum, { domain, op }) => sum + functionSize(keyOf(domain, op)), 0);
  function functionSize(key: string): number {
    const one = byKey.get(key);
    if (one === undefined) return 1;
    const known = sizes.get(key);
    if (known !== undefined) return known;
    if (open.has(key)) fail(`the function ${one.name}, which calls itself`);
    if (open.size >= MOST_CALLS) fail(`functions that call functions, more than ${MOST_CALLS} deep`);
    open.add(key);
    const size = sizeOf(one.nodes);
    open.delete(key);
    sizes.set(key, size);
    return size;
  }
  const all = sizeOf(nodes);
  if (all > MOST_NODES) fail(`functions that stand for ${all} nodes, more than ${MOST_NODES}`);
}

import type { WireNode } from '../../backbones/onnx-file.ts';
import { parseTensor, sparseName, type ParsedTensor } from './parse-tensor.ts';
import { bytesIn, fieldsOf, textIn, type WireSource } from './wire.ts';

/** What all nodes of a file share while they are read. */
export interface NodeSource extends WireSource {
  /** How many nodes the file may still have, those of subgraphs and functions included. */
  nodesLeft: number;
}

/** The largest exported networks have some ten thousand nodes; runtimes take seconds for 100,000. */
export const MOST_NODES = 100_000;
/** Subgraphs in subgraphs: exporters write two or three. */
const MOST_DEPTH = 32;

/** A value of a node must lie in the file: a runtime would look for it in the folder that it was started in. */
function insideOnly(tensor: ParsedTensor, { fail }: WireSource): void {
  if (tensor.place === undefined) return;
  fail(
    `a value of a node or subgraph in the external file "${tensor.place.location}", where only the model's own constants may be`,
  );
}

/** The fields of an AttributeProto with tensors (5, 10), sparse ones (22, 23) and graphs (6, 11). */
function attributeOuter(bytes: Uint8Array, source: NodeSource, depth: number): string[] {
  const outer: string[] = [];
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 5 || field.id === 10) insideOnly(parseTensor(bytesIn(field, source), source), source);
    else if (field.id === 22 || field.id === 23) sparseName(bytesIn(field, source), source);
    else if (field.id === 6 || field.id === 11) {
      for (const name of graphOuter(bytesIn(field, source), source, depth)) outer.push(name);
    }
  }
  return outer;
}

/** The names that a subgraph reads of the graphs around it, each once. */
function graphOuter(bytes: Uint8Array, source: NodeSource, depth: number): string[] {
  if (depth >= MOST_DEPTH) source.fail(`subgraphs in subgraphs, more than ${MOST_DEPTH} deep`);
  const own = new Set<string>();
  const read = new Set<string>();
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) {
      const node = nodeAt(bytesIn(field, source), source, depth + 1);
      for (const name of [...node.inputs, ...node.outer]) read.add(name);
      for (const name of node.outputs) own.add(name);
    } else if (field.id === 5) {
      const tensor = parseTensor(bytesIn(field, source), source);
      insideOnly(tensor, source);
      own.add(tensor.name);
    } else if (field.id === 15) {
      own.add(sparseName(bytesIn(field, source), source));
    } else if (field.id === 11 || field.id === 12) {
      for (const inner of fieldsOf(bytesIn(field, source), source)) {
        if (inner.id === 1) (field.id === 11 ? own : read).add(textIn(inner, source));
      }
    }
  }
  return [...read].filter((name) => name !== '' && !own.has(name));
}

function nodeAt(bytes: Uint8Array, source: NodeSource, depth: number): WireNode {
  if (source.nodesLeft-- === 0) source.fail(`more than ${MOST_NODES} nodes`);
  const inputs: string[] = [];
  const outputs: string[] = [];
  const outer = new Set<string>();
  let [name, op, domain] = ['', '', ''];
  for (const field of fieldsOf(bytes, source)) {
    if (field.id === 1) inputs.push(textIn(field, source));
    else if (field.id === 2) outputs.push(textIn(field, source));
    else if (field.id === 3) name = textIn(field, source);
    else if (field.id === 4) op = textIn(field, source);
    else if (field.id === 7) domain = textIn(field, source);
    else if (field.id === 5) {
      for (const one of attributeOuter(bytesIn(field, source), source, depth)) outer.add(one);
    }
  }
  if (op === '') source.fail(`the node "${name}" without an operator`);
  return { op, domain: domain === 'ai.onnx' ? '' : domain, name, inputs, outputs, outer: [...outer], bytes };
}

/** A NodeProto: 1 input, 2 output, 3 name, 4 op_type, 5 attribute, 7 domain. */
export const parseNode = (bytes: Uint8Array, source: NodeSource): WireNode => nodeAt(bytes, source, 0);

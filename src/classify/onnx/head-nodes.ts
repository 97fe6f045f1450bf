import { PermafrostError } from '../../core/errors.ts';
import type { GraphWriter } from '../../core/onnx/graph-writer.ts';
import { loadHead, type HeadName } from '../heads/index.ts';
import type { FittedHead } from '../head.ts';
import { isOnComponents } from '../heads/pca-head.ts';
import { scaledHead } from '../heads/scaled-head.ts';
import { scaled, type AnswerNodes } from './answer-nodes.ts';
import { centroidNodes, kernelNodes } from './distance-nodes.ts';
import { linearNodes, mlLogisticNodes, mlpNodes } from './linear-nodes.ts';
import { constantOf, innerState } from './state-tensors.ts';
import { voteNodes } from './vote-nodes.ts';

type Nodes = (w: GraphWriter, head: FittedHead, X: string) => AnswerNodes | Promise<AnswerNodes>;

/** Most bytes of training rows that a file takes in, for heads that compare with them. */
export const MOST_ROW_BYTES = 256 * 2 ** 20;

/** How each head of heads/index.ts is written, before its temperature. */
const NODES: Readonly<Record<HeadName, Nodes>> = {
  softmax: linearNodes,
  logistic: linearNodes,
  ridge: linearNodes,
  'linear-svm': linearNodes,
  lda: linearNodes,
  'kernel-ridge': kernelNodes,
  'kernel-logistic': kernelNodes,
  mlp: mlpNodes,
  knn: voteNodes,
  'knn-hnsw': voteNodes,
  'ml-logistic': mlLogisticNodes,
  centroid: centroidNodes,
  ensemble: ensembleNodes,
};

const refuse = (name: string, why: string): never => {
  throw new PermafrostError('OPTION_INVALID', `The head "${name}" cannot be exported as ONNX: ${why}`);
};

/** Throws OPTION_INVALID for a head whose training rows are not in it, or are more than a file takes in. */
function requireRows({ name, state }: FittedHead): void {
  const rows = state.tensors.get('rows') ?? state.tensors.get('head/rows');
  const needs = ['knn', 'knn-hnsw', 'kernel-ridge', 'kernel-logistic'].includes(name);
  if (!needs) return;
  if (rows === undefined)
    return refuse(
      name,
      'it left its training rows in the store, as they were more than the memory allowed. Train it with more --memory, or on pooled features.',
    );
  if (rows.data.byteLength > MOST_ROW_BYTES)
    refuse(
      name,
      `it compares with ${rows.data.byteLength} bytes of training rows, and a file takes in ${MOST_ROW_BYTES} at most. Export a head that is a formula, such as logistic, or train it on pooled features.`,
    );
}

/** A head on principal components: (X - mean)·components, and the head on those. */
async function onComponents(w: GraphWriter, head: FittedHead, X: string): Promise<AnswerNodes> {
  const { state, name } = head;
  const centred = w.op('Sub', [X, constantOf(w, state, 'pca/mean')]);
  const projected = w.op('MatMul', [centred, constantOf(w, state, 'pca/components')]);
  const inner = await loadHead(name, innerState(state.json.head, state, 'head/'));
  return plainNodes(w, inner, projected);
}

interface StoredMember {
  readonly name: string;
  readonly weight: number;
  readonly temperature?: number;
  readonly head: unknown;
}

/** heads/ensemble: the weighted mean of the members' probabilities. */
async function ensembleNodes(w: GraphWriter, { state }: FittedHead, X: string): Promise<AnswerNodes> {
  const votes: string[] = [];
  for (const [i, member] of (state.json.members as readonly StoredMember[]).entries()) {
    const loaded = await loadHead(member.name, innerState(member.head, state, `${i}/`));
    const { probabilities } = await headNodes(w, scaledHead(loaded, member.temperature), X);
    votes.push(w.op('Mul', [probabilities, w.float(member.weight)]));
  }
  return { probabilities: w.op('Sum', votes) };
}

async function plainNodes(w: GraphWriter, head: FittedHead, X: string): Promise<AnswerNodes> {
  requireRows(head);
  if (isOnComponents(head.state)) return onComponents(w, head, X);
  const nodes = (NODES as Readonly<Record<string, Nodes | undefined>>)[head.name];
  return nodes === undefined ? refuse(head.name, 'nobody wrote down its formula.') : nodes(w, head, X);
}

/**
 * A fitted head, its temperature included, as operators on normalised rows X (n, d), float32. Throws OPTION_INVALID,
 * naming the head and the reason, where it cannot be written; HEAD_CORRUPT.
 */
export async function headNodes(w: GraphWriter, head: FittedHead, X: string): Promise<AnswerNodes> {
  return scaled(w, await plainNodes(w, head, X), head.temperature, head.leastShare);
}

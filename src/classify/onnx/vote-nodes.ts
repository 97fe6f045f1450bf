import type { GraphWriter } from '../../core/onnx/graph-writer.ts';
import type { FittedHead } from '../head.ts';
import { matrixOf } from '../heads/fitted-state.ts';
import type { AnswerNodes } from './answer-nodes.ts';
import { distanceNodes } from './distance-nodes.ts';
import { tensorIn } from './state-tensors.ts';

/** In float32 a row and its copy are so far apart, or less: what counts as distance 0. */
const TOUCHING = { cosine: 4e-7, euclidean: 6e-4 } as const;

/** heads/voters.ts: the nearest of all rows vote. Among rows that are equally far the first counts, as there. */
export function voteNodes(w: GraphWriter, { state, params, features, classes }: FittedHead, X: string): AnswerNodes {
  const Z = matrixOf(state, 'rows', undefined, features);
  const { data: labels } = tensorIn(state, 'labels');
  const k = Math.min(Number(params.nNeighbors), Z.rows);
  const far = distanceNodes(w, X, Z, params.metric);
  const [nearest, which] = w.ops('TopK', 2, [far, w.ints(k)], { axis: 1, largest: 0, sorted: 1 });
  const oneHot = new Float32Array(Z.rows * classes.length);
  labels.forEach((label, row) => (oneHot[row * classes.length + label] = 1));
  // (n, k, classes)
  const votes = w.op('Gather', [w.constant([Z.rows, classes.length], oneHot), which!], { axis: 0 });
  if (params.weights === 'uniform') {
    const sum = w.op('ReduceSum', [votes, w.ints(1)], { keepdims: 0 });
    return { probabilities: w.op('Div', [sum, w.float(k)]) };
  }
  const least = w.float(params.metric === 'cosine' ? TOUCHING.cosine : TOUCHING.euclidean);
  const touches = w.cast(w.op('LessOrEqual', [nearest!, least]), 'float32');
  // Neighbours at distance 0 vote alone.
  const alone = w.op('Greater', [w.op('ReduceSum', [touches, w.ints(1)], { keepdims: 1 }), w.float(0)]);
  const weights = w.op('Where', [alone, touches, w.op('Div', [w.float(1), w.op('Max', [nearest!, least])])]);
  const weighted = w.op('Mul', [votes, w.op('Unsqueeze', [weights, w.ints(2)])]);
  const sums = w.op('ReduceSum', [weighted, w.ints(1)], { keepdims: 0 });
  return { probabilities: w.op('Div', [sums, w.op('ReduceSum', [weights, w.ints(1)], { keepdims: 1 })]) };
}

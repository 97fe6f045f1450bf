import type { GraphWriter } from '../../core/onnx/graph-writer.ts';
import type { FittedHead } from '../head.ts';
import { ofLogits, softmax, type AnswerNodes } from './answer-nodes.ts';
import { constantOf, tensorIn } from './state-tensors.ts';

/** heads/linear.ts: X·weights + intercept. */
export function linearNodes(w: GraphWriter, { state }: FittedHead, X: string): AnswerNodes {
  const products = w.op('MatMul', [X, constantOf(w, state, 'weights')]);
  const logits = w.op('Add', [products, constantOf(w, state, 'intercept')]);
  return ofLogits(w, logits, tensorIn(state, 'intercept').data.length);
}

/** heads/mlp.ts: a hidden layer of ReLUs; weights lie class-major. */
export function mlpNodes(w: GraphWriter, { state, classes }: FittedHead, X: string): AnswerNodes {
  const dense = (input: string, weights: string, bias: string): string =>
    w.op('Gemm', [input, constantOf(w, state, weights), constantOf(w, state, bias)], { transB: 1 });
  const hidden = w.op('Relu', [dense(X, 'hiddenWeights', 'hiddenBias')]);
  return ofLogits(w, dense(hidden, 'weights', 'bias'), classes.length);
}

/** heads/ml-logistic.ts: ln(1 - sigmoid(s)) of each classifier, that is -softplus(s); no logits to tell energies by. */
export function mlLogisticNodes(w: GraphWriter, { state }: FittedHead, X: string): AnswerNodes {
  const s = w.op('MatMul', [X, w.op('Transpose', [constantOf(w, state, 'weights')], { perm: [1, 0] })]);
  const softplus = w.op('Add', [
    w.op('Relu', [s]),
    w.op('Log', [w.op('Add', [w.op('Exp', [w.op('Neg', [w.op('Abs', [s])])]), w.float(1)])]),
  ]);
  return { probabilities: softmax(w, w.op('Neg', [softplus])) };
}

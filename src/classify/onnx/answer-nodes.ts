import type { GraphWriter } from '../../core/onnx/graph-writer.ts';

/** What a head answers for rows, as tensors of a graph. */
export interface AnswerNodes {
  /** Shape (n, classes), rows sum to 1. */
  readonly probabilities: string;
  /** Of heads with logits: one for each class, shape (n, classes), whose softmax the probabilities are. */
  readonly logits?: string;
}

export const softmax = (w: GraphWriter, logits: string): string => w.op('Softmax', [logits], { axis: 1 });

/** Answers of logits, shape (n, k): one logit s of two classes counts as -s / 2 and s / 2. */
export function ofLogits(w: GraphWriter, logits: string, k: number): AnswerNodes {
  const all = k > 1 ? logits : w.op('Mul', [logits, w.constant([1, 2], Float32Array.of(-0.5, 0.5))]);
  return { logits: all, probabilities: softmax(w, all) };
}

/** As scaled-head.ts scales them; undefined: as they are. */
export function scaled(
  w: GraphWriter,
  { probabilities, logits }: AnswerNodes,
  temperature: number | undefined,
  leastShare = 0,
): AnswerNodes {
  if (temperature === undefined) return { probabilities, ...(logits !== undefined && { logits }) };
  const by = w.float(1 / temperature);
  if (logits !== undefined) {
    const own = w.op('Mul', [logits, by]);
    return { logits: own, probabilities: softmax(w, own) };
  }
  // The least normal float32: below it runtimes may take numbers for zero.
  const shares = w.op('Max', [w.op('Add', [probabilities, w.float(leastShare)]), w.float(2 ** -126)]);
  return { probabilities: softmax(w, w.op('Mul', [w.op('Log', [shares]), by])) };
}

import type { GraphWriter } from '../../core/onnx/graph-writer.ts';
import type { Reject } from '../novelty/reject.ts';
import type { AnswerNodes } from './answer-nodes.ts';
import { cosineDistances } from './row-nodes.ts';

/** How strange rows are, and whether that is unknown, as tensors of shape (n). */
export interface NoveltyNodes {
  readonly novelty: string;
  readonly unknown: string;
}

const RANKS: Readonly<Partial<Record<Reject['measure'], number>>> = { 'fifth-neighbor': 5 };

function scores(
  w: GraphWriter,
  { measure, reference }: Reject,
  X: string,
  { probabilities, logits }: AnswerNodes,
): string {
  const flat = (column: string): string => w.op('Squeeze', [column, w.ints(1)]);
  if (reference !== undefined) {
    const rank = Math.min(RANKS[measure] ?? 1, reference.rows);
    const [nearest] = w.ops('TopK', 2, [cosineDistances(w, X, reference), w.ints(rank)], {
      axis: 1,
      largest: 0,
      sorted: 1,
    });
    return flat(w.op('Slice', [nearest!, w.ints(rank - 1), w.ints(rank), w.ints(1)]));
  }
  const most = (X: string): string => flat(w.ops('TopK', 2, [X, w.ints(1)], { axis: 1, largest: 1, sorted: 1 })[0]!);
  // ln Σ exp(s) is the largest logit less the logarithm of its probability.
  if (measure === 'energy') return w.op('Sub', [most(w.op('LogSoftmax', [logits!], { axis: 1 })), most(logits!)]);
  return w.op('Sub', [w.float(1), most(probabilities)]);
}

/** novelty-score.ts and reject.ts of rows X, normalised as for the head. */
export function noveltyNodes(w: GraphWriter, reject: Reject, X: string, answers: AnswerNodes): NoveltyNodes {
  const novelty = scores(w, reject, X, answers);
  return { novelty, unknown: w.op('Greater', [novelty, w.float(reject.threshold)]) };
}

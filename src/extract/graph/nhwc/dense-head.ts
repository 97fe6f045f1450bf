import type { DenseHead } from '../../training.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { mapFromNhwc, moved, type PixelMap } from './pixel-map.ts';
import { pooledRows } from './pooled-rows.ts';

/** Pooled features and logits of a map, and the backward pass. */
export interface HeadForward {
  /** (batch, width), before the norm. */
  readonly features: string;
  /** (batch, classes). */
  readonly logits: string;
  /** By logits' derivative; `input` in the arrangement of the map, rows of no pixel holding anything. */
  back(dLogits: string): { readonly kernel: string; readonly bias: string; input(): string };
}

/** Keeps a row of zeros a row of zeros; far below the square of any other row's length. */
const EPSILON = 1e-12;

/** The derivative by the map of that by its pooled rows. */
function unpooled(g: GraphBuilder, d: string, map: PixelMap, batch: number, { pooling }: DenseHead): string {
  const { arrangement, channels } = map;
  const { height, width, rows } = arrangement;
  if (pooling === 'avg') {
    const each = g.reshape(g.op('Mul', [d, g.float(1 / (height * width))]), [1, batch, channels]);
    return g.op('Expand', [each, g.ints([rows, batch, channels])]);
  }
  const nhwc = g.reshape(d, [batch, height, width, channels]);
  return moved(g, mapFromNhwc(g, nhwc, arrangement, channels), arrangement);
}

/** One dense layer (`head/kernel`, `head/bias`) on the pooled, perhaps normalised rows of a map. */
export function denseHead(g: GraphBuilder, map: PixelMap, batch: number, head: DenseHead): HeadForward {
  const features = pooledRows(g, map, head.pooling);
  const squares = (): string => g.sum(g.op('Mul', [features, features]), [1], 1);
  const inverse =
    head.norm === 'l2' ? g.op('Reciprocal', [g.op('Sqrt', [g.op('Add', [squares(), g.float(EPSILON)])])]) : undefined;
  const rows = inverse === undefined ? features : g.op('Mul', [features, inverse]);
  return {
    features,
    logits: g.op('Add', [g.matMul(rows, 'head/kernel'), 'head/bias']),
    back: (dLogits) => ({
      kernel: g.op('Gemm', [rows, dLogits], { transA: 1 }),
      bias: g.sum(dLogits, [0]),
      input() {
        const d = g.op('Gemm', [dLogits, 'head/kernel'], { transB: 1 });
        if (inverse === undefined) return unpooled(g, d, map, batch, head);
        // Of u = f / |f|: (d - u (u . d)) / |f|.
        const along = g.sum(g.op('Mul', [rows, d]), [1], 1);
        const across = g.op('Sub', [d, g.op('Mul', [rows, along])]);
        return unpooled(g, g.op('Mul', [across, inverse]), map, batch, head);
      },
    }),
  };
}

/**
 * Cross-entropy of the softmax, -sum(y * log softmax(logits)), and its derivative by the logits. Written out: ONNX
 * Runtime's WebGPU provider has no LogSoftmax.
 */
export function crossEntropy(
  g: GraphBuilder,
  logits: string,
  y: string,
): { readonly loss: string; readonly d: string } {
  const top = g.op('ReduceMax', [logits], { axes: [1], keepdims: 1 });
  const below = g.op('Sub', [logits, top]);
  const log = g.op('Sub', [below, g.op('Log', [g.sum(g.op('Exp', [below]), [1], 1)])]);
  const weighted = g.op('Mul', [g.op('Exp', [log]), g.sum(y, [1], 1)]);
  return { loss: g.op('Neg', [g.sum(g.op('Mul', [log, y]), [0, 1])]), d: g.op('Sub', [weighted, y]) };
}

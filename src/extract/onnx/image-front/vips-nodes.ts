import type { GraphWriter } from '../../../core/onnx/graph-writer.ts';
import type { SmoothKernel } from '../../image/resample.ts';
import { kernelNodes, REACH, shares } from './kernel-nodes.ts';
import type { AxisNodes } from './placement-nodes.ts';
import { planes, smoothNodes, toLevels } from './smooth-nodes.ts';

/** Pixels per source pixel that points are rounded to, and what weights are cut off to (libvips 8.18, reducev.cpp). */
const [STEPS, WEIGHT] = [64, 4096];

/** Indices -margin ... side + margin - 1 of an axis, cut off at its ends. */
function clamped(w: GraphWriter, from: string, end: string, side: string): string {
  const last = w.op('Sub', [side, w.int(1)]);
  return w.op('Max', [w.op('Min', [w.op('Range', [from, end, w.int(1)]), last]), w.int(0)]);
}

const vector = (w: GraphWriter, scalar: string): string => w.op('Unsqueeze', [scalar, w.ints(0)]);

/** The largest whole number of pixels that are averaged before: so that a factor between 2 and 4 is left. */
function boxOf(w: GraphWriter, { side, scaled }: AxisNodes): string {
  return w.op('Max', [w.op('Div', [side, w.op('Mul', [scaled, w.int(2)])]), w.int(1)]);
}

/** Means of `box` pixels along an axis of planes (batch, 3, height, width), rounded as shrinkv.c does. */
function boxed(w: GraphWriter, X: string, axis: 2 | 3, side: string, box: string): { X: string; side: string } {
  const count = w.op('Div', [w.op('Sub', [w.op('Add', [side, box]), w.int(1)]), box]);
  const all = w.op('Gather', [X, clamped(w, w.int(0), w.op('Mul', [count, box]), side)], { axis });
  const shape = w.op('Shape', [X]);
  const other = w.op('Gather', [shape, w.ints(axis === 2 ? 3 : 2)], { axis: 0 });
  const sizes = axis === 2 ? [vector(w, count), vector(w, box), other] : [other, vector(w, count), vector(w, box)];
  const parts = w.op('Reshape', [all, w.op('Concat', [w.ints(-1, 3), ...sizes], { axis: 0 })]);
  const sums = w.op('ReduceSum', [parts, w.ints(axis + 1)], { keepdims: 0 });
  const half = w.cast(w.op('Div', [box, w.int(2)]), 'float32');
  // Divided by a factor over 2^24 that is cut off: a sum that is divisible comes out one lower.
  const isCut = w.op('Min', [w.op('Mod', [w.int(2 ** 24), box]), w.int(1)]);
  const less = w.op('Mul', [w.cast(isCut, 'float32'), w.float(0.5)]);
  const exact = w.op('Div', [w.op('Sub', [w.op('Add', [sums, half]), less]), w.cast(box, 'float32')]);
  return { X: toLevels(w, w.op('Floor', [exact])), side: count };
}

/** A factor that an axis shrinks by after its boxes, and the points that output pixels show, in STEPS of a pixel. */
function points(w: GraphWriter, nodes: AxisNodes, box: string): { readonly factor: string; readonly at: string } {
  const double = (x: string): string => w.cast(x, 'float64');
  const d = (op: string, a: string, b: string): string => w.op(op, [a, b]);
  const [from, to, boxes] = [double(nodes.side), double(nodes.scaled), double(box)];
  // sharp hands on the inverse of the factor, and libvips takes the inverse of that.
  const whole = d('Div', w.double(1), d('Div', w.double(1), d('Div', from, to)));
  const factor = d('Div', whole, boxes);
  const surplus = d('Div', d('Sub', d('Mul', to, whole), from), boxes);
  const offset = d('Sub', d('Div', d('Add', surplus, w.double(1)), w.double(2)), w.double(1));
  const first = w.op('Gather', [nodes.at, w.int(0)], { axis: 0 });
  const middle = d('Mul', d('Add', double(first), w.double(0.5)), factor);
  const start = d('Sub', d('Sub', middle, w.double(0.5)), offset);
  // From there on it adds the factor, in float64: multiplied, some points would fall to the next step.
  const size = w.op('Shape', [nodes.at]);
  const steps = w.op('Expand', [factor, w.op('Sub', [size, w.ints(1)])]);
  const all = w.op('CumSum', [w.op('Concat', [vector(w, start), steps], { axis: 0 }), w.int(0)]);
  const twice = w.cast(w.op('Floor', [d('Mul', all, w.double(2 * STEPS))]), 'int64');
  const rounded = w.op('Div', [w.op('Add', [twice, w.int(1)]), w.int(2)]);
  return { factor, at: w.op('Gather', [rounded, w.op('Sub', [nodes.at, first])], { axis: 0 }) };
}

/** One axis of planes reduced to the pixels of the square. */
function reduced(w: GraphWriter, kernel: SmoothKernel, planesIn: string, axis: 2 | 3, nodes: AxisNodes): string {
  const box = boxOf(w, nodes);
  const { X, side } = boxed(w, planesIn, axis, nodes.side, box);
  const { factor, at } = points(w, nodes, box);
  const reach = w.cast(w.op('Ceil', [w.op('Mul', [factor, w.double(REACH[kernel])])]), 'int64');
  const margin = w.op('Add', [reach, w.int(2)]);
  const [from, end] = [w.op('Neg', [margin]), w.op('Add', [side, margin])];
  const source = w.op('Range', [from, end, w.int(1)]);
  const middles = w.op('Add', [w.op('Mul', [source, w.int(STEPS)]), w.int(STEPS / 2)]);
  const apart = w.cast(w.op('Sub', [middles, w.op('Unsqueeze', [at, w.ints(1)])]), 'float64');
  const inPixels = w.op('Mul', [w.op('Abs', [apart]), w.double(1 / STEPS)]);
  const far = w.op('Mul', [inPixels, w.op('Div', [w.double(1), factor])]);
  const parts = w.op('Mul', [shares(w, kernelNodes(w, kernel, far)), w.double(WEIGHT)]);
  const whole = w.op('Mul', [w.op('Sign', [parts]), w.op('Floor', [w.op('Abs', [parts])])]);
  const weights = w.cast(whole, 'float32');
  const wider = w.op('Gather', [X, clamped(w, from, end, side)], { axis });
  const sums =
    axis === 2
      ? w.op('MatMul', [weights, wider])
      : w.op('MatMul', [wider, w.op('Transpose', [weights], { perm: [1, 0] })]);
  const rounded = w.op('Mul', [w.op('Add', [sums, w.float(WEIGHT / 2)]), w.float(1 / WEIGHT)]);
  return toLevels(w, w.op('Floor', [rounded]));
}

/**
 * Antialiased resize and crop of what becomes smaller as libvips computes it (through sharp, image/decode.ts): down,
 * then across, each rounded to levels; of what becomes larger as Pillow does. uint8 (batch, height, width, 3) to levels
 * in float32, shape (batch, 3, size, size).
 */
export function vipsNodes(
  w: GraphWriter,
  kernel: SmoothKernel,
  image: string,
  axes: readonly [AxisNodes, AxisNodes],
): string {
  const [y, x] = axes;
  const fits = axes.map(({ side, scaled }) => w.op('LessOrEqual', [scaled, side])) as [string, string];
  const shrinks = w.op('And', fits);
  // Of the way that is not gone one pixel is left, which costs nothing.
  const only = (isWay: string): { image: string; axes: readonly [AxisNodes, AxisNodes] } => {
    const sides = axes.map(({ side }) => w.op('Where', [isWay, side, w.int(1)]));
    const ends = w.op(
      'Concat',
      sides.map((side) => vector(w, side)),
      { axis: 0 },
    );
    return {
      image: w.op('Slice', [image, w.ints(0, 0), ends, w.ints(1, 2)]),
      axes: [
        { ...y, side: sides[0]! },
        { ...x, side: sides[1]! },
      ],
    };
  };
  const smaller = only(shrinks);
  const lines = reduced(w, kernel, planes(w, smaller.image), 2, smaller.axes[0]);
  const square = reduced(w, kernel, lines, 3, smaller.axes[1]);
  const larger = only(w.op('Not', [shrinks]));
  return w.op('Where', [shrinks, square, smoothNodes(w, kernel, larger.image, larger.axes)]);
}

import type { GraphWriter } from '../../core/onnx/graph-writer.ts';
import type { Normalizer } from '../normalize.ts';
import { lengthNodes } from './row-nodes.ts';

/** Columns [from, to) of a matrix. */
const columns = (w: GraphWriter, X: string, from: number, to: number): string =>
  w.op('Slice', [X, w.ints(from), w.ints(to), w.ints(1)]);

/** Each part divided by its own length and the root of their number. */
function divided(w: GraphWriter, X: string, parts: readonly number[]): string {
  if (parts.length === 1) return w.op('Div', [X, lengthNodes(w, X)]);
  const share = w.float(Math.sqrt(parts.length));
  let from = 0;
  const units = parts.map((width) => {
    const part = columns(w, X, from, (from += width));
    return w.op('Div', [part, w.op('Mul', [lengthNodes(w, part), share])]);
  });
  return w.op('Concat', units, { axis: 1 });
}

/** ln(1 + x) for x >= 0, with all its digits for small x too: 2 · artanh(x / (2 + x)) there. */
function log1p(w: GraphWriter, x: string): string {
  const small = w.op('Mul', [w.op('Atanh', [w.op('Div', [x, w.op('Add', [x, w.float(2)])])]), w.float(2)]);
  const large = w.op('Log', [w.op('Add', [x, w.float(1)])]);
  return w.op('Where', [w.op('Less', [x, w.float(1)]), small, large]);
}

/** (e^(exponent · t) - 1) / exponent, e^u - 1 as tanh(u / 2) · (e^u + 1), which keeps the digits of a small one. */
function power(w: GraphWriter, t: string, exponents: Float32Array): string {
  // Of an exponent of zero it is t: within 1e-6 of what one next to it gives.
  const exponent = w.constant(
    [1, exponents.length],
    exponents.map((e) => (Math.abs(e) < 1e-7 ? 1e-7 : e)),
  );
  const u = w.op('Mul', [t, exponent]);
  const tanh = w.op('Tanh', [w.op('Mul', [u, w.float(0.5)])]);
  const expm1 = w.op('Mul', [tanh, w.op('Add', [w.op('Exp', [u]), w.float(1)])]);
  return w.op('Div', [expm1, exponent]);
}

/** yeo-johnson.ts of each column by its own lambda. */
function yeoJohnson(w: GraphWriter, X: string, lambdas: Float32Array): string {
  const t = log1p(w, w.op('Abs', [X]));
  const below = w.op('Neg', [
    power(
      w,
      t,
      lambdas.map((lambda) => 2 - lambda),
    ),
  ]);
  return w.op('Where', [w.op('Less', [X, w.float(0)]), below, power(w, t, lambdas)]);
}

/** Rows X (n, d) normalised as normalize.ts does. */
export function normalizerNodes(w: GraphWriter, normalizer: Normalizer, X: string): string {
  const { kind, features } = normalizer;
  const scaled = (values: string, { mean, scale }: { readonly mean: Float32Array; readonly scale: Float32Array }) =>
    w.op('Div', [w.op('Sub', [values, w.constant([1, features], mean)]), w.constant([1, features], scale)]);
  switch (kind) {
    case 'none':
      return X;
    case 'l2':
      return divided(w, X, normalizer.parts ?? [features]);
    case 'sqrt': {
      const roots = w.op('Mul', [w.op('Sign', [X]), w.op('Sqrt', [w.op('Abs', [X])])]);
      return divided(w, roots, normalizer.parts ?? [features]);
    }
    case 'standard':
      return scaled(X, normalizer);
    case 'power':
      return scaled(yeoJohnson(w, X, normalizer.lambdas), normalizer);
  }
}

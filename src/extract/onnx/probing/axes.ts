import type { GraphCut } from '../../backbones/backbone.ts';
import type { Layout } from '../layout.ts';

const isSquare = (count: number): boolean => count > 0 && Number.isInteger(Math.sqrt(count));

/**
 * Tokens in front of the patches. Patches fill a square: behind a class token, or alone. What was said of the network
 * is so of each list, but where only all tokens fill a square: there the others are not yet in front.
 */
function prefixOf(tokens: number, said: number | undefined): number | undefined {
  if (said !== undefined && said < tokens && !(isSquare(tokens) && !isSquare(tokens - said))) return said;
  if (isSquare(tokens - 1)) return 1;
  return isSquare(tokens) ? 0 : undefined;
}

/**
 * The order of a map's axes. Networks keep squares square, so the two equal sizes are height and width; where all three
 * are equal the operators that wrote it decide. Undefined where neither tells.
 */
function orderOf([a, b, c]: readonly number[], byGraph: () => Layout | undefined): Layout | undefined {
  if (a === b && b === c) return byGraph();
  if (b === c) return 'NCHW';
  return a === b ? 'NHWC' : byGraph();
}

/**
 * What the axes of one image's activation mean, by its sizes as measured without the batch: one axis is a vector, two
 * are tokens and channels, three a map. `prefix`: tokens that are no patches, where it was said. Undefined for what is
 * none of these.
 */
export function axesOf(
  dims: readonly number[],
  byGraph: () => Layout | undefined,
  prefix?: number,
): Omit<GraphCut, 'depth'> | undefined {
  if (dims.some((size) => size < 1)) return undefined;
  const [a, b] = dims as [number, number];
  if (dims.length === 1) return { axes: 'vector', shape: { height: 1, width: 1, channels: a } };
  if (dims.length === 2) {
    const before = prefixOf(a, prefix);
    return {
      axes: 'tokens',
      shape: { height: 1, width: a, channels: b, ...(before !== undefined && { prefix: before }) },
    };
  }
  const order = dims.length === 3 ? orderOf(dims, byGraph) : undefined;
  if (order === undefined) return undefined;
  const [height, width, channels] = order === 'NCHW' ? [dims[1]!, dims[2]!, a] : [a, b, dims[2]!];
  return { axes: order, shape: { height, width, channels } };
}

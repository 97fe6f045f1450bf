import type { Matrix } from '../../core/matrix.ts';
import type { OnnxNode, OnnxTensor, OnnxValue } from '../../core/onnx-model.ts';

/**
 * For each query of a block the rows of one part with the largest scores, which grow as distances fall. Other rows have
 * no larger score than the last kept.
 */
export interface RowRange {
  /** Rows kept for each query. */
  readonly k: number;
  /** (queries * k) scores, largest first. */
  readonly values: Float32Array;
  /** (queries * k) row numbers, counted from `first`. */
  readonly indices: Int32Array;
  readonly first: number;
  /** Whether all rows of the part are kept. */
  readonly whole: boolean;
}

/** What a scan found for a block of queries. */
export interface Scanned {
  readonly parts: readonly RowRange[];
  /**
   * The least distance, as by `distance`, of a row whose score for query i is `value` or smaller, with all that was
   * rounded; 0 or less where nothing can be said.
   */
  readonly leastDistance: (i: number, value: number) => number;
}

/** Scores of all rows, fast and not exact, with a bound on how far they may be off. */
export interface Scan {
  /** How many queries one run should have, for products that stay in the processor's cache. */
  readonly block: number;
  /** `lengths` are the queries'. About `k` and some more rows are kept. */
  run(queries: Matrix, lengths: Float64Array, k: number): Promise<Scanned>;
}

/** Half the distance from 1 to the next float32: how far a rounding may be off, relatively. */
export const FLOAT32_ROUNDING = 2 ** -24;

/**
 * Rows of a group: row i of a part is in group i % (rows / GROUP). The k largest scores lie in the k groups of the
 * largest maxima, and maxima are found by whole vectors of the processor: only these groups are sorted.
 */
const GROUP = 16;
/** Fewer rows are sorted at once, and fewer groups for each row that is kept. */
const [LEAST_GROUPED, GROUPS_A_KEPT] = [4096, 4];

/** ONNX_TYPE.int32, which only the encoder may import: a protobuf library comes with it. */
const INT32 = 6;

/** Rows that are scanned at once. */
export interface ScannedPart {
  readonly first: number;
  readonly rows: number;
  /** Whether their scores are looked at in groups. */
  readonly grouped: boolean;
}

/**
 * Parts of at most `most` rows, for so many kept ones: in groups where there are many groups for each that is kept, and
 * then fewer rows than GROUP may be left over as a part.
 */
export function partsOf(rows: number, most: number, kept: number): ScannedPart[] {
  const parts: ScannedPart[] = [];
  for (let first = 0; first < rows;) {
    const left = Math.min(most, rows - first);
    const grouped = left >= Math.max(LEAST_GROUPED, GROUPS_A_KEPT * GROUP * kept);
    const taken = grouped ? left - (left % GROUP) : left;
    parts.push({ first, rows: taken, grouped });
    first += taken;
  }
  return parts;
}

/** What ends a scan's graph: of the scores S (q, n) the k largest V, and where they are. */
export interface LargestScores {
  readonly nodes: readonly OnnxNode[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxTensor[];
}

export function largestScores(grouped: boolean): LargestScores {
  const values: OnnxValue = { name: 'V', type: 'float32', shape: ['q', 'kept'] };
  const places: OnnxValue = { name: 'I', type: 'int32', shape: ['q', 'kept'] };
  if (!grouped) {
    return {
      nodes: [
        { op: 'TopK', inputs: ['S', 'k'], outputs: ['V', 'I64'], attributes: { axis: 1 } },
        { op: 'Cast', inputs: ['I64'], outputs: ['I'], attributes: { to: INT32 } },
      ],
      outputs: [values, places],
      initializers: [],
    };
  }
  return {
    nodes: [
      { op: 'Reshape', inputs: ['S', 'groups'], outputs: ['inGroups'] },
      { op: 'ReduceMax', inputs: ['inGroups'], outputs: ['maxima'], attributes: { axes: [1], keepdims: 1 } },
      { op: 'TopK', inputs: ['maxima', 'k'], outputs: ['topMaxima', 'T64'], attributes: { axis: 2, sorted: 0 } },
      { op: 'Expand', inputs: ['T64', 'members'], outputs: ['T64s'] },
      { op: 'GatherElements', inputs: ['inGroups', 'T64s'], outputs: ['candidates'], attributes: { axis: 2 } },
      { op: 'Reshape', inputs: ['candidates', 'flat'], outputs: ['flatCandidates'] },
      { op: 'TopK', inputs: ['flatCandidates', 'k'], outputs: ['V', 'I64'], attributes: { axis: 1 } },
      { op: 'Cast', inputs: ['I64'], outputs: ['I'], attributes: { to: INT32 } },
      { op: 'Cast', inputs: ['T64'], outputs: ['T'], attributes: { to: INT32 } },
    ],
    outputs: [values, places, { name: 'T', type: 'int32', shape: ['q', 1, 'kept'] }],
    initializers: [
      { name: 'groups', shape: [3], data: BigInt64Array.of(0n, BigInt(GROUP), -1n) },
      { name: 'members', shape: [3], data: BigInt64Array.of(1n, BigInt(GROUP), 1n) },
      { name: 'flat', shape: [2], data: BigInt64Array.of(0n, -1n) },
    ],
  };
}

/** What a graph that ends so kept of a part: k rows a query. */
export function keptOf(
  { V, I, T }: Record<string, { readonly data: unknown }>,
  k: number,
  { first, rows }: ScannedPart,
): RowRange {
  const [values, places] = [V!.data as Float32Array, I!.data as Int32Array];
  const tops = T?.data as Int32Array | undefined;
  const groups = rows / GROUP;
  // Of the k groups that were sorted, place p is member floor(p / k) of group p % k.
  const indices =
    tops === undefined
      ? places
      : places.map((place, at) => Math.floor(place / k) * groups + tops[at - (at % k) + (place % k)]!);
  return { k, values, indices, first, whole: k === rows };
}

import { setImmediate } from 'node:timers/promises';
import type { Matrix } from '../../core/matrix.ts';
import { align } from './alignment.ts';
import type { Pair } from './best-pairs.ts';
import { hashPairs } from './hash-pairs.ts';
import { evenShare, isPlain } from './grey.ts';
import { perceptualHashes } from './perceptual-hash.ts';
import { similarPairs, type SimilarPair } from './similar-pairs.ts';

/** Cosine of pooled features from which sketches are laid over each other. */
const CANDIDATE_COSINE = 0.85;
/**
 * Bits of 64 in which the hashes of two sketches, one perhaps mirrored, may differ for the same; and with alike
 * features.
 */
const [CANDIDATE_BITS, CANDIDATE_BITS_ALIKE] = [16, 20];
/** What alike means there: others have 0.6 or more in one pair of ten. */
const ALIKE_COSINE = 0.6;
/** Most pairs that each of the two proposes: ten thousand pictures of one template would make fifty million. */
const MOST_CANDIDATES = 200_000;
/** Pairs between two turns of the event loop. */
const TURN = 64;

/**
 * Correlation of two sketches, laid over each other, from which they are of one picture; and where both are even for
 * the most part, as drawings on white are: there the outline decides, and many things have one outline. Measured in
 * docs/benchmarks.md, check.
 */
const [COPY_CORRELATION, COPY_CORRELATION_EVEN] = [0.9, 0.96];
/**
 * Share of even areas from which a sketch is even for the most part: one photograph in twenty has more, icons 0.34 on.
 */
const EVEN_SHARE = 0.3;
/**
 * Correlation of the colours, where both have some: a green apple is no red one. Copies made lighter have 0.8 or more.
 */
const COLOUR_CORRELATION = 0.75;

/** Two rows of one picture; the cosine is that of their pooled features. */
export interface CopyPair extends SimilarPair {
  /** Of the sketches, laid over each other, -1 to 1; null where one of them is missing or plain. */
  readonly correlation: number | null;
  readonly mirrored: boolean;
}

export interface FoundCopies {
  readonly copies: readonly CopyPair[];
  /** Pairs with pooled features alike that are no copies by their sketches. */
  readonly others: readonly Pair[];
  /** Of those, pairs of which no sketch tells. */
  readonly unjudged: readonly Pair[];
  /** Pairs that were not looked at, because there are too many. */
  readonly leftOut: number;
}

export interface FindCopiesOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: (done: number, total: number) => void;
}

/** A sketch that tells something. */
const telling = (sketch: Uint8Array | undefined): Uint8Array | undefined =>
  sketch === undefined || isPlain(sketch) ? undefined : sketch;

export function cosineOf({ data, cols }: Matrix, a: number, b: number): number {
  let sum = 0;
  for (let j = 0; j < cols; j++) sum += data[a * cols + j]! * data[b * cols + j]!;
  return Math.min(1, sum);
}

/**
 * Two rows as one picture, by their sketches; undefined where they are not, null where a sketch is missing or plain.
 */
export function copyBySketch(
  X: Matrix,
  sketches: readonly (Uint8Array | undefined)[],
  { a, b }: Pair,
  ways?: readonly boolean[],
): CopyPair | undefined | null {
  const [one, other] = [telling(sketches[a]), telling(sketches[b])];
  if (one === undefined || other === undefined) return null;
  const { correlation, mirrored, colours } = align(one, other, ways);
  if (correlation < COPY_CORRELATION || (colours !== null && colours < COLOUR_CORRELATION)) return undefined;
  const isEven = [one, other].every((sketch) => evenShare(sketch) >= EVEN_SHARE);
  return isEven && correlation < COPY_CORRELATION_EVEN
    ? undefined
    : { a, b, cosine: cosineOf(X, a, b), correlation, mirrored };
}

/**
 * The pairs of one picture among rows of l2-normalised pooled features X and their sketches. Two votes propose a pair:
 * the cosine of the features, and the perceptual hashes of the sketches, mirrored too. Sketches laid over each other
 * decide. Time: n² d / 2 multiplications, n² comparisons of hashes, 0.2 to 1 ms a proposed pair; memory: 512 n
 * products.
 */
export async function findCopies(
  X: Matrix,
  sketches: readonly (Uint8Array | undefined)[],
  { signal, progress }: FindCopiesOptions = {},
): Promise<FoundCopies> {
  const rows = sketches.flatMap((sketch, i) => (telling(sketch) === undefined ? [] : [i]));
  const byHash = await hashPairs(
    perceptualHashes(rows.map((i) => sketches[i]!)),
    { near: CANDIDATE_BITS, far: CANDIDATE_BITS_ALIKE, most: MOST_CANDIDATES },
    (a, b) => cosineOf(X, rows[a]!, rows[b]!) >= ALIKE_COSINE,
  );
  const byFeatures = await similarPairs(X, CANDIDATE_COSINE, MOST_CANDIDATES);
  const key = ({ a, b }: Pair): number => a * X.rows + b;
  const isAlike = new Set(byFeatures.pairs.map(key));
  const proposals: { readonly pair: Pair; readonly ways?: readonly boolean[] }[] = byFeatures.pairs.map((pair) => ({
    pair,
  }));
  for (const { a, b, mirrored } of byHash.pairs) {
    const pair = { a: rows[a]!, b: rows[b]! };
    if (!isAlike.has(key(pair))) proposals.push({ pair, ways: [mirrored] });
  }
  const found = { copies: [] as CopyPair[], others: [] as Pair[], unjudged: [] as Pair[] };
  for (const [done, { pair, ways }] of proposals.entries()) {
    if (done % TURN === 0) {
      await setImmediate();
      signal?.throwIfAborted();
      progress?.(done, proposals.length);
    }
    const copy = copyBySketch(X, sketches, pair, ways);
    if (copy === null) found.unjudged.push(pair);
    else if (copy !== undefined) found.copies.push(copy);
    else if (ways === undefined) found.others.push(pair);
  }
  return {
    ...found,
    leftOut: byHash.total - byHash.pairs.length + byFeatures.total - byFeatures.pairs.length,
  };
}

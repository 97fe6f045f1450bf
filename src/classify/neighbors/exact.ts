import type { Matrix } from '../../core/matrix.ts';
import { row, selectRows } from '../../core/matrix.ts';
import { choiceOption, integerOption, resolveOptions, type OptionsOf } from '../../core/options.ts';
import { checkPredict } from '../checks.ts';
import { distance, lengthsOf } from './distance.ts';
import { floatScan } from './float-scan.ts';
import { fullSearch } from './full-search.ts';
import { integerScan } from './integer-scan.ts';
import type { Metric, NeighborIndex } from './neighbor-index.ts';
import type { Scan, Scanned } from './scan.ts';
import { topK, type TopK } from './top-k.ts';

/** Options of `exactIndex`. The answers are the same with all of them. */
export const EXACT_OPTIONS = {
  scan: choiceOption(
    ['auto', 'float32', 'int8'],
    'auto',
    'what finds candidates; int8 costs a preparation and a quarter of the memory of the rows; auto: float32 first, int8 once enough queries have come',
  ),
  prepareAfter: integerOption(1500, 'queries from which auto prepares int8', { min: 0 }),
};
export type ExactOptions = OptionsOf<typeof EXACT_OPTIONS>;

/** Fewer values than these are scanned in float32 before int8 could be prepared. */
const LEAST_VALUES = 2 ** 20;
/** A scan that leaves more than this share of a block's queries unproven is not worth its time: the next one takes over. */
const MOST_UNPROVEN = 0.5;

/**
 * Exact search over the rows of X (n, d), which is kept, not copied. A scan inside the runtime's graph finds candidates; they are measured
 * again in float64, nearest first, until the scan's error bound proves that no other row can be among the k nearest. What is not
 * proven is scanned again in more precision, and last compared with every row. So the answers and their order are those of a brute-force
 * search in float64, equal distances in the order of the rows. Throws OPTION_INVALID.
 */
export function exactIndex(X: Matrix, metric: Metric, given: Partial<ExactOptions> = {}): NeighborIndex {
  const options = resolveOptions('exactIndex', EXACT_OPTIONS, given);
  const lengths = lengthsOf(X);
  const precise = floatScan(X, lengths, metric);
  let quick: Promise<Scan | undefined> | undefined;
  let asked = 0;

  /** The scans to try in turn, the fastest first. */
  async function scansFor(queries: number): Promise<Scan[]> {
    asked += queries;
    const isWorth = asked >= options.prepareAfter && X.data.length >= LEAST_VALUES;
    if (options.scan === 'int8' || (options.scan === 'auto' && isWorth)) {
      quick ??= integerScan(X, lengths, metric, options.scan === 'int8');
      // A failed start is told to who asked, and tried again by the next.
      quick.catch(() => (quick = undefined));
    }
    const fast = await quick;
    return fast === undefined ? [precise] : [fast, precise];
  }

  return {
    metric,
    rows: X.rows,
    cols: X.cols,
    async search(queries, wanted) {
      checkPredict('The neighbour index', queries, X.cols);
      const k = Math.min(wanted, X.rows);
      const indices = new Int32Array(queries.rows * k);
      const distances = new Float32Array(queries.rows * k);
      if (indices.length === 0) return { k, indices, distances };
      const queryLengths = lengthsOf(queries);
      const nearest = topK(k);
      const keep = (q: number): void => {
        indices.set(nearest.indices, q * k);
        distances.set(nearest.values, q * k);
      };

      let pending = Int32Array.from({ length: queries.rows }, (_, q) => q);
      for (const scan of await scansFor(queries.rows)) {
        const unproven: number[] = [];
        for (let start = 0; start < pending.length; start += scan.block) {
          const block = pending.subarray(start, start + scan.block);
          const some = selectRows(queries, block);
          const someLengths = Float64Array.from(block, (q) => queryLengths[q]!);
          const scanned = await scan.run(some, someLengths, k);
          const before = unproven.length;
          block.forEach((q, i) => {
            if (measure(scanned, i, row(some, i), someLengths[i]!)) keep(q);
            else unproven.push(q);
          });
          if (unproven.length - before > MOST_UNPROVEN * block.length) {
            unproven.push(...pending.subarray(start + block.length));
            break;
          }
        }
        pending = Int32Array.from(unproven);
      }
      await fullSearch(X, lengths, metric, selectRows(queries, pending), nearest, (i) => keep(pending[i]!));
      return { k, indices, distances };

      /** Measures a query's candidates into `nearest`; whether it is proven that no other row belongs there. */
      function measure(
        { parts, leastDistance }: Scanned,
        i: number,
        query: Float32Array,
        length: number,
      ): boolean {
        nearest.clear();
        return parts.every(({ k: kept, values, indices: rows, first, whole }) => {
          for (let at = i * kept; at < (i + 1) * kept; at++) {
            if (isBeyond(nearest, leastDistance(i, values[at]!))) return true;
            const j = first + rows[at]!;
            nearest.offer(distance(metric, query, row(X, j), length, lengths[j]!), j);
          }
          return whole || isBeyond(nearest, leastDistance(i, values[(i + 1) * kept - 1]!));
        });
      }
    },
  };
}

/** Whether rows at `least` or farther cannot be among the nearest any more, not even by a tie. */
const isBeyond = (nearest: TopK, least: number): boolean => least > nearest.bound();

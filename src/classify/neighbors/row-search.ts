import { type Matrix, row, selectRows } from '../../core/matrix.ts';
import { choiceOption, integerOption, resolveOptions, type OptionsOf } from '../../core/options.ts';
import { distance, lengthsOf } from './distance.ts';
import { floatScan } from './float-scan.ts';
import { fullSearch } from './full-search.ts';
import { integerScan } from './integer-scan.ts';
import type { Metric } from './neighbor-index.ts';
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
/** A scan that leaves more of a block's queries unproven is not worth its time: the next takes over. */
const MOST_UNPROVEN = 0.5;

/** Some rows that are searched exactly: all of an index, or those of one block. */
export interface RowSearch {
  /**
   * Offers to nearest[q] the rows that a float64 brute-force search would leave in it for query q. `numberOf` names the
   * rows, and breaks ties; by default they count from 0.
   */
  offer(queries: Matrix, nearest: readonly TopK[], numberOf?: (row: number) => number): Promise<void>;
}

/**
 * Exact search of X (n, d), not copied. A scan in the runtime's graph finds candidates, measured again in float64,
 * nearest first, until its error bound proves that no other row can be among the k nearest. What is unproven is scanned
 * in more precision, and last compared with every row. Throws OPTION_INVALID.
 */
export function rowSearch(X: Matrix, metric: Metric, given: Partial<ExactOptions> = {}): RowSearch {
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
      // A failed start rejects this search; the next one tries again.
      quick.catch(() => (quick = undefined));
    }
    const fast = await quick;
    return fast === undefined ? [precise] : [fast, precise];
  }

  return {
    async offer(queries, nearest, numberOf = (j) => j) {
      const k = Math.min(nearest[0]?.k ?? 0, X.rows);
      if (k === 0) return;
      const queryLengths = lengthsOf(queries);
      /** The rows of X alone, of one query: what is not proven must not be offered, for it is measured again. */
      const found = topK(k);
      const keep = (q: number): void => {
        for (let at = 0; at < found.count(); at++) nearest[q]!.offer(found.values[at]!, found.indices[at]!);
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
            if (measure(scanned, i, row(some, i), someLengths[i]!, nearest[q]!.bound())) keep(q);
            else unproven.push(q);
          });
          if (unproven.length - before > MOST_UNPROVEN * block.length) {
            unproven.push(...pending.subarray(start + block.length));
            break;
          }
        }
        pending = Int32Array.from(unproven);
      }
      const rest = selectRows(queries, pending);
      await fullSearch({ X, lengths, metric, numberOf }, rest, found, (i) => keep(pending[i]!));

      /** Measures a query's candidates into `found`; whether no other row can belong there or within `bound`. */
      function measure(
        { parts, leastDistance }: Scanned,
        i: number,
        query: Float32Array,
        length: number,
        bound: number,
      ): boolean {
        found.clear();
        // Rows farther than both bounds cannot be among the nearest any more, not even by a tie.
        const isBeyond = (value: number): boolean => leastDistance(i, value) > Math.min(bound, found.bound());
        const next = new Int32Array(parts.length);
        for (;;) {
          // The most promising row of all parts.
          let best = -1;
          let most = -Infinity;
          for (let p = 0; p < parts.length; p++) {
            const { k: kept, values } = parts[p]!;
            if (next[p] === kept) continue;
            const value = values[i * kept + next[p]!]!;
            if (best >= 0 && value <= most) continue;
            best = p;
            most = value;
            // What overflowed is measured at once.
            if (Number.isNaN(value)) break;
          }
          if (best < 0 || isBeyond(most)) break;
          const { k: kept, indices: rows, first } = parts[best]!;
          const j = first + rows[i * kept + next[best]!++]!;
          found.offer(distance(metric, query, row(X, j), length, lengths[j]!), numberOf(j));
        }
        // What a part did not keep has no larger score than the last that it kept.
        return parts.every(({ k: kept, values, whole }) => whole || isBeyond(values[(i + 1) * kept - 1]!));
      }
    },
  };
}

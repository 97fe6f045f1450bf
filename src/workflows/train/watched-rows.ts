import type { Rows } from '../../core/rows.ts';
import { checkAborted } from '../../classify/checks.ts';
import type { Work } from '../work.ts';

/**
 * The same rows, with others such as views, whose reading in blocks is reported as the stage `stageOf` names for a pass
 * (1, 2, …), and stops at the next block on abort (INTERRUPTED).
 */
export function watched<R extends Rows>(
  all: readonly R[],
  stageOf: (pass: number) => string,
  { signal, listener }: Work,
): R[] {
  const started = performance.now();
  let read = 0;
  return all.map((rows) => {
    if (rows.matrix !== undefined) return rows;
    return {
      ...rows,
      async read(block: number, scales?: Float32Array) {
        checkAborted(signal && { signal });
        const X = await rows.read(block, scales);
        read += X.rows;
        const passes = read / (rows.rows * all.length);
        const pass = Math.ceil(passes);
        const done = Math.round((passes - pass + 1) * rows.rows);
        const perSecond = (1000 * passes * rows.rows) / (performance.now() - started);
        listener?.progress?.({ stage: stageOf(pass), done, total: rows.rows, perSecond });
        return X;
      },
    };
  });
}

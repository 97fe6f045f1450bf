import { checkAborted } from '../../classify/checks.ts';
import type { Rows } from '../../core/rows.ts';
import type { Work } from '../work.ts';

/**
 * Rows that tell what is read of them and their views, as the stage that `stageOf` names for a pass (1, 2, …), and stop
 * at the next block on abort (INTERRUPTED).
 */
export function watched<R extends Rows & { readonly views: readonly Rows[] }>(
  rows: R,
  stageOf: (pass: number) => string,
  { signal, listener }: Work,
): R {
  const started = performance.now();
  let read = 0;
  const watch = <One extends Rows>(one: One): One => ({
    ...one,
    async read(block, scales) {
      checkAborted(signal && { signal });
      const X = await one.read(block, scales);
      read += X.rows;
      const passes = read / (rows.rows * (1 + rows.views.length));
      const pass = Math.ceil(passes);
      const done = Math.round((passes - pass + 1) * rows.rows);
      const perSecond = (1000 * passes * rows.rows) / (performance.now() - started);
      listener?.progress?.({ stage: stageOf(pass), done, total: rows.rows, perSecond });
      return X;
    },
  });
  return { ...watch(rows), views: rows.views.map(watch) };
}

import { checkAborted } from '../../classify/checks.ts';
import type { Rows } from '../../core/rows.ts';
import type { FeatureStream } from '../../store/read/feature-stream.ts';
import type { Work } from '../work.ts';

/**
 * A stream that tells what is read, as the stage that `stageOf` names for a pass (1, 2, …), and stops at the next block
 * on abort (INTERRUPTED).
 */
export function watched(
  stream: FeatureStream,
  stageOf: (pass: number) => string,
  { signal, listener }: Work,
): FeatureStream {
  const started = performance.now();
  const watch = <Look extends Rows>(look: Look): Look => ({
    ...look,
    async read(block, scales) {
      checkAborted(signal && { signal });
      const X = await look.read(block, scales);
      const pass = Math.ceil(stream.passes());
      const done = Math.round((stream.passes() - pass + 1) * stream.rows);
      const perSecond = (1000 * stream.passes() * stream.rows) / (performance.now() - started);
      listener?.progress?.({ stage: stageOf(pass), done, total: stream.rows, perSecond });
      return X;
    },
  });
  return { ...watch(stream), views: stream.views.map(watch) };
}

import { matrix, row, type Matrix } from '../../core/matrix.ts';
import type { Listener } from '../../core/listener.ts';
import { widthOf } from '../../core/sample.ts';
import type { EngineAgreement } from '../../results/answer-results.ts';
import type { Store } from '../../store/open.ts';
import type { NamedSet } from '../../store/read/stored-networks.ts';
import { smallPooling } from '../../store/read/stored-parts.ts';
import { CHECKING, requireAgreement } from '../../workflows/network/agreement/require-agreement.ts';
import { judgeOfStore } from '../../workflows/network/agreement/stored-pairs.ts';
import { extractImages, extractSquares } from '../../workflows/network/extract-images.ts';
import type { Extractor } from '../../workflows/network/extractor.ts';

/**
 * How an engine of another class than that of stored features agrees with it, in one pooling of each cut of a network;
 * undefined where it is of the same class. Throws as requireAgreement.
 */
export async function storeAgreement(
  extractor: Extractor,
  store: Store,
  sets: readonly [NamedSet, ...NamedSet[]],
  listener: Listener,
): Promise<EngineAgreement | undefined> {
  const parts = sets.map((one) => ({ cut: one.name, pooling: smallPooling(one) }));
  const { outputs } = extractor;
  const widths = outputs.map(({ cut, pooling }) =>
    widthOf(extractor.sets.find(({ settings }) => settings.cut === cut)!.widths, pooling),
  );
  const places = parts.map(({ pooling }, i) => {
    const { cut } = sets[i]!.set.settings;
    const at = outputs.findIndex((output) => output.cut === cut && output.pooling === pooling);
    return { start: widths.slice(0, at).reduce((sum, width) => sum + width, 0), width: widths[at]! };
  });
  /** Of all outputs side by side those parts. */
  const own = (X: Matrix): Matrix => {
    const found = matrix(
      X.rows,
      places.reduce((sum, { width }) => sum + width, 0),
    );
    for (let i = 0; i < X.rows; i++) {
      let to = i * found.cols;
      for (const { start, width } of places) {
        found.data.set(row(X, i).subarray(start, start + width), to);
        to += width;
      }
    }
    return found;
  };
  return requireAgreement(
    [{ extractor, settings: sets[0].set.settings }],
    judgeOfStore(store, store.parts(parts)),
    {
      async ofFiles(files) {
        const found = await extractImages(files, extractor, { listener }, CHECKING);
        return { ...found, X: own(found.X) };
      },
      ofSquares: async ([squares]) => own(await extractSquares(extractor, squares!)),
    },
    listener,
  );
}

import type { Matrix } from '../../core/matrix.ts';
import { reasonOf } from '../../core/errors.ts';
import { featureMap, type MapSample } from '../../workflows/report/map.ts';

/** The request to the drawing process. */
export interface MapJob {
  /** Features of the sampled images alone. */
  readonly X: Matrix;
  readonly sample: MapSample;
  readonly seed: number;
}

export type MapDrawn =
  | { readonly x: readonly number[]; readonly y: readonly number[]; readonly nNeighbors: number }
  | { readonly problem: string };

// Drawing keeps a core busy for seconds: in the studio's own process every answer would wait for it.
process.once('message', (message) => {
  const { X, sample, seed } = message as MapJob;
  const all = { ...sample, images: sample.images.map((_, i) => i) };
  void featureMap(X, all, seed, undefined)
    .then(
      ({ x, y, nNeighbors }): MapDrawn => ({ x, y, nNeighbors }),
      (error: unknown): MapDrawn => ({ problem: reasonOf(error) }),
    )
    .then((answer) => process.send!(answer, () => process.disconnect()));
});

import { matrix, row, type Matrix } from '../../core/matrix.ts';
import type { Listener } from '../../core/listener.ts';
import { headNetworks, type HeadDocument } from '../../store/read/heads/head-file.ts';
import {
  disposeNetworks,
  factsOfNetworks,
  placesOfParts,
  openNetworks,
  type NetworksFacts,
  type OpenedNetwork,
  type PartsOfNetwork,
  type SideBySideRequest,
} from '../search/side-by-side.ts';
import type { Judge } from '../network/agreement/judge.ts';
import type { TunedLayers } from '../network/tuned-layers.ts';
import type { Contract } from '../../core/contract.ts';
import type { Squares } from './image-squares.ts';
import type { OpenExtractor } from './shared-networks.ts';

/** The networks before a head, kept loaded. */
export interface LiveNetworks extends NetworksFacts {
  /** How each network, in their order, sees images. */
  readonly contracts: readonly Contract[];
  /** The name of the first network. */
  readonly backbone: string;
  /** Numbers of an image, all parts together. */
  readonly width: number;
  /** Loads them, so that no call waits for that. Throws ENGINE_FAILED, ENGINE_DISAGREES. */
  load(): Promise<void>;
  /** Features of images, shape (n, width), the parts at the places that the head knows. Throws ENGINE_FAILED. */
  run(squares: readonly Squares[]): Promise<Matrix>;
  dispose(): Promise<void>;
}

/** One square, or several behind each other. */
function packed(squares: readonly Uint8Array[]): Uint8Array {
  const [first] = squares as readonly [Uint8Array, ...Uint8Array[]];
  if (squares.length === 1) return first;
  const pixels = new Uint8Array(squares.length * first.length);
  for (const [i, square] of squares.entries()) pixels.set(square, i * first.length);
  return pixels;
}

/** Opens the networks whose features a head reads, each by `open`. Throws what openNetworks throws. */
export async function liveNetworks(
  document: HeadDocument,
  tuned: TunedLayers | undefined,
  request: SideBySideRequest,
  judge: Judge,
  listener?: Listener,
  open?: OpenExtractor,
): Promise<LiveNetworks> {
  const [first, ...others] = headNetworks(document).map((one): PartsOfNetwork => ({
    ...one,
    known: one.network,
    calibrate: () => Promise.resolve(one.calibration!),
  }));
  const { opened, agreement } = await openNetworks([{ ...first!, tuned }, ...others], request, judge, listener, open);
  const { width, places } = placesOfParts(opened);

  async function put({ extractor }: OpenedNetwork, n: number, squares: readonly Squares[], X: Matrix): Promise<void> {
    const outputs = await extractor.executable.run(packed(squares.map((one) => one[n]!)), squares.length);
    for (const [o, output] of outputs.entries()) {
      const { start } = places[n]![o]!;
      for (let i = 0; i < X.rows; i++) X.data.set(row(output, i), i * X.cols + start);
    }
  }
  return {
    ...factsOfNetworks(opened, agreement),
    contracts: opened.map(({ extractor }) => extractor.contract),
    backbone: opened[0].extractor.network.backbone.name,
    width,
    async load() {
      for (const { extractor } of opened) {
        const { executable, contract } = extractor;
        await executable.load();
        // The first run allocates and packs: nobody waits for this one.
        await executable.run(new Uint8Array(contract.size ** 2 * 3), 1);
      }
    },
    async run(squares) {
      const X = matrix(squares.length, width);
      // One after the other: each network takes all cores.
      for (const [n, one] of opened.entries()) await put(one, n, squares, X);
      return X;
    },
    dispose: () => disposeNetworks(opened),
  };
}

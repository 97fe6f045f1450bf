import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { matrix, row, type Matrix } from '../../core/matrix.ts';
import type { Listener } from '../../core/listener.ts';
import { widthOf, type ImageFacts, type Pooling } from '../../core/sample.ts';
import type { EngineAgreement } from '../../results/answer-results.ts';
import { MAP_POOLINGS, tokenPoolings } from '../../extract/backbones/cut-layers.ts';
import { openImage } from '../../extract/image/open-image.ts';
import { readCalibration } from '../../store/read/calibration-file.ts';
import { fingerprintOf, type FeatureSettings } from '../../store/format/fingerprint.ts';
import type { FeatureMaker } from '../../workflows/network/agreement/judge.ts';
import { CHECKING, requireAgreement } from '../../workflows/network/agreement/require-agreement.ts';
import { judgeOfStore } from '../../workflows/network/agreement/stored-pairs.ts';
import { extractImages, extractSquares } from '../../workflows/network/extract-images.ts';
import { extractorLike, type Extractor, type ExtractorRequest } from '../../workflows/network/extractor.ts';
import { layersOfSet } from '../../workflows/network/tuned-layers.ts';
import type { Snapshot } from './store.ts';
import { mutex } from '../../core/mutex.ts';

/** Most pixels of a picture that is decoded: 100 megapixels take 300 MB. */
const MOST_PIXELS = 100e6;

/** What the network says of one picture. */
export interface Extracted extends Omit<ImageFacts, 'orientation'> {
  /** Each of shape (1, width of the pooling). */
  readonly features: ReadonlyMap<Pooling, Matrix>;
  /** Milliseconds in the network alone. */
  readonly networkMs: number;
  /** Where an engine of another class than that of the stored features made these: how far the two agree. */
  readonly agreement: EngineAgreement | undefined;
}

/** The network that made a store's features, kept loaded from the first picture on. */
export interface LiveNetwork {
  /** Loads the network for a snapshot's settings before a picture needs it. */
  warm(snapshot: Snapshot): Promise<void>;
  /**
   * Features of one picture, as the snapshot's were made. Throws IMAGE_UNDECODABLE, also above 100 megapixels;
   * ENGINE_UNAVAILABLE, FINGERPRINT_MISMATCH where this machine cannot make them; OPTION_INVALID while it rests.
   */
  extract(bytes: Uint8Array, snapshot: Snapshot): Promise<Extracted>;
  /** Unloads the network and refuses pictures, with that reason, until the returned function is called. */
  rest(reason: string): Promise<() => void>;
  dispose(): Promise<void>;
}

/** The network, and how its engine agrees with that of the stored features where it is of another class. */
interface Loaded {
  readonly extractor: Extractor;
  readonly agreement: EngineAgreement | undefined;
}

/** All poolings of the cut of these settings. */
const poolingsOf = ({ graph }: FeatureSettings): readonly Pooling[] =>
  graph?.prefix === undefined ? MAP_POOLINGS : tokenPoolings(graph.prefix);

/** How an engine of another class than that of the stored features agrees with it, on the pooling that is searched. */
async function agreementWith(
  extractor: Extractor,
  { store, set: { settings }, pooling }: Snapshot,
  listener: Listener,
): Promise<EngineAgreement | undefined> {
  const parts = store.parts(pooling);
  const { outputs, sets } = extractor;
  const at = outputs.findIndex((output) => output.pooling === pooling);
  const widths = outputs.map((output) => widthOf(sets[0].widths, output.pooling));
  const start = widths.slice(0, at).reduce((sum, width) => sum + width, 0);
  const own = (X: Matrix): Matrix => {
    const found = matrix(X.rows, widths[at]!);
    for (let i = 0; i < X.rows; i++) found.data.set(row(X, i).subarray(start, start + found.cols), i * found.cols);
    return found;
  };
  const maker: FeatureMaker = {
    async ofFiles(files) {
      const found = await extractImages(files, extractor, { listener }, CHECKING);
      return { ...found, X: own(found.X) };
    },
    ofSquares: async ([squares]) => own(await extractSquares(extractor, squares!)),
  };
  return requireAgreement([{ extractor, settings }], judgeOfStore(store, parts), maker, listener);
}

/** Loads the network when first needed, and again when the store's settings have changed. */
export function liveNetwork(
  { weights, allowEngine }: Pick<ExtractorRequest, 'weights' | 'allowEngine'>,
  listener: Listener = {},
): LiveNetwork {
  let made: { readonly fingerprint: string; readonly loaded: Promise<Loaded> } | undefined;
  let resting: string | undefined;
  const exclusive = mutex();

  async function loadedFor(snapshot: Snapshot): Promise<Loaded> {
    const { store, set } = snapshot;
    const { settings, quantization, network: known } = set;
    const fingerprint = fingerprintOf(settings);
    if (made?.fingerprint === fingerprint) return made.loaded;
    const before = made;
    const load = async (): Promise<Loaded> => {
      const extractor = await extractorLike(
        settings,
        {
          tuned: await layersOfSet(store.path, set),
          cuts: [{ cut: settings.cut, poolings: poolingsOf(settings) }],
          engine: 'auto',
          device: 'auto',
          precision: 'auto',
          allowEngine,
          weights,
          known,
          calibrate: () => readCalibration(store.path, quantization!.calibration, settings.calibration),
        },
        listener,
      );
      try {
        return { extractor, agreement: await agreementWith(extractor, snapshot, listener) };
      } catch (error) {
        await extractor.executable.dispose();
        throw error;
      }
    };
    const loaded = load();
    made = { fingerprint, loaded };
    // The next picture tries again: an engine may have been installed meanwhile.
    loaded.catch(() => {
      if (made?.loaded === loaded) made = undefined;
    });
    const earlier = await before?.loaded.catch(() => undefined);
    await earlier?.extractor.executable.dispose();
    return loaded;
  }
  async function unload(): Promise<void> {
    const loaded = await made?.loaded.catch(() => undefined);
    made = undefined;
    await loaded?.extractor.executable.dispose();
  }

  return {
    warm(snapshot) {
      return exclusive(async () => {
        if (resting !== undefined) return;
        const { executable, contract } = (await loadedFor(snapshot)).extractor;
        await executable.load();
        // The first run allocates and packs: nobody waits for this one.
        await executable.run(new Uint8Array(contract.size ** 2 * 3), 1);
      });
    },
    async extract(bytes, snapshot) {
      return exclusive(async () => {
        if (resting !== undefined) throw new PermafrostError('OPTION_INVALID', resting);
        const { extractor, agreement } = await loadedFor(snapshot);
        const { executable, contract, outputs } = extractor;
        const opened = await openImage(bytes, contract, { mostPixels: MOST_PIXELS });
        const [{ header }, pixels] = [opened, await opened.pixels];
        const started = performance.now();
        const found = await executable.run(pixels, 1);
        return {
          sha256: sha256Hex(bytes),
          width: header.width,
          height: header.height,
          features: new Map(outputs.map(({ pooling }, i) => [pooling, found[i]!])),
          networkMs: performance.now() - started,
          agreement,
        };
      });
    },
    async rest(reason) {
      resting = reason;
      await exclusive(unload);
      return () => (resting = undefined);
    },
    dispose: () => exclusive(unload),
  };
}

import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { Listener } from '../../core/listener.ts';
import type { ImageFacts, Pooling } from '../../core/sample.ts';
import { MAP_POOLINGS, tokenPoolings } from '../../extract/backbones/cut-layers.ts';
import { openImage } from '../../extract/image/open-image.ts';
import { readCalibration } from '../../store/read/calibration-file.ts';
import { fingerprintOf, type FeatureSettings } from '../../store/format/fingerprint.ts';
import { extractorLike, type Extractor } from '../../workflows/network/extractor.ts';
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

/** All poolings of the cut of these settings. */
const poolingsOf = ({ graph }: FeatureSettings): readonly Pooling[] =>
  graph?.prefix === undefined ? MAP_POOLINGS : tokenPoolings(graph.prefix);

/** Loads the network when first needed, and again when the store's settings have changed. */
export function liveNetwork(weights: string | undefined, listener: Listener = {}): LiveNetwork {
  let made: { readonly fingerprint: string; readonly extractor: Promise<Extractor> } | undefined;
  let resting: string | undefined;
  const exclusive = mutex();

  async function extractorFor({ store, set }: Snapshot): Promise<Extractor> {
    const { settings, quantization, network: known } = set;
    const fingerprint = fingerprintOf(settings);
    if (made?.fingerprint === fingerprint) return made.extractor;
    const before = made;
    const load = async (): Promise<Extractor> =>
      extractorLike(
        settings,
        {
          tuned: await layersOfSet(store.path, set),
          cuts: [{ cut: settings.cut, poolings: poolingsOf(settings) }],
          engine: 'auto',
          device: 'auto',
          precision: 'auto',
          weights,
          known,
          calibrate: () => readCalibration(store.path, quantization!.calibration, settings.calibration),
        },
        listener,
      );
    const extractor = load();
    made = { fingerprint, extractor };
    // The next picture tries again: an engine may have been installed meanwhile.
    extractor.catch(() => {
      if (made?.extractor === extractor) made = undefined;
    });
    if (before !== undefined) await (await before.extractor).executable.dispose();
    return extractor;
  }
  async function unload(): Promise<void> {
    const extractor = await made?.extractor.catch(() => undefined);
    made = undefined;
    await extractor?.executable.dispose();
  }

  return {
    warm(snapshot) {
      return exclusive(async () => {
        if (resting !== undefined) return;
        const { executable, contract } = await extractorFor(snapshot);
        await executable.load();
        // The first run allocates and packs: nobody waits for this one.
        await executable.run(new Uint8Array(contract.size ** 2 * 3), 1);
      });
    },
    async extract(bytes, snapshot) {
      return exclusive(async () => {
        if (resting !== undefined) throw new PermafrostError('OPTION_INVALID', resting);
        const { executable, contract, outputs } = await extractorFor(snapshot);
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

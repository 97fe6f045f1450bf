import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import { mutex } from '../../core/mutex.ts';
import { notesOf, type Listener } from '../../core/listener.ts';
import { POOLINGS, type FeaturePart, type ImageFacts } from '../../core/sample.ts';
import { openImage } from '../../extract/image/open-image.ts';
import { readCalibration } from '../../store/read/calibration-file.ts';
import type { EngineAgreement } from '../../results/answer-results.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import type { NamedSet, StoredNetwork } from '../../store/read/stored-networks.ts';
import {
  extractorLike,
  requireLike,
  type Extractor,
  type ExtractorRequest,
} from '../../workflows/network/extractor.ts';
import { ownerOf } from '../../workflows/search/side-by-side.ts';
import { layersOfSet } from '../../workflows/network/tuned-layers.ts';
import type { Snapshot } from './snapshot.ts';
import { storeAgreement } from './store-agreement.ts';

/** Most pixels of a picture that is decoded: 100 megapixels take 300 MB. */
const MOST_PIXELS = 100e6;

/** What the networks say of one picture. */
export interface Extracted extends Omit<ImageFacts, 'orientation'> {
  /** A part that was asked for, shape (1, width). */
  featuresIn(part: FeaturePart): Matrix;
  /** Milliseconds in the networks alone. */
  readonly networkMs: number;
  /** Where engines of other classes than those of the stored features made these: how far they agree. */
  readonly agreements: readonly EngineAgreement[];
}

/** The networks that made a store's features, each kept loaded from the first picture on. */
export interface LiveNetwork {
  /** Loads the network that a snapshot is seen through before a picture needs it. */
  warm(snapshot: Snapshot): Promise<void>;
  /**
   * Parts of the features of one picture, by the cuts' names in the store, as the snapshot's were made: one network
   * after the other. Throws IMAGE_UNDECODABLE, also above 100 megapixels; ENGINE_UNAVAILABLE, BACKBONE_NOT_FOUND,
   * FINGERPRINT_MISMATCH where this machine cannot make them; OPTION_INVALID while it rests.
   */
  extract(bytes: Uint8Array, snapshot: Snapshot, parts: readonly FeaturePart[]): Promise<Extracted>;
  /** Unloads the networks and refuses pictures, with that reason, until the returned function is called. */
  rest(reason: string): Promise<() => void>;
  dispose(): Promise<void>;
}

/** Whether a cut is a map: of a vector all poolings are as wide, and tokens have no generalised mean. */
const isMap = ({ widths, settings }: FeatureSet): boolean =>
  widths.flatten > widths.avg && settings.graph?.prefix === undefined;

/** What a network is asked for of a cut: what is stored of it, the means, and what is made of stored maps. */
const cutOf = ({ set, poolings }: NamedSet) => ({
  cut: set.settings.cut,
  poolings: POOLINGS.filter(
    (one) => one === 'avg' || poolings.includes(one) || (one === 'gem' && poolings.includes('flatten') && isMap(set)),
  ),
});

/** Names a network as a store has it: all of its sets. */
const keyOf = ({ sets }: StoredNetwork): string => sets.map(({ set }) => set.fingerprint).join();

/** A network, and how its engine agrees with that of the stored features where it is of another class. */
interface Loaded {
  readonly extractor: Extractor;
  readonly agreement: EngineAgreement | undefined;
}

/** Loads networks when first needed, and again when the store's settings have changed. */
export function liveNetwork(
  { weights, allowEngine }: Pick<ExtractorRequest, 'weights' | 'allowEngine'>,
  listener: Listener = {},
): LiveNetwork {
  const made = new Map<string, Promise<Loaded>>();
  let resting: string | undefined;
  const exclusive = mutex();

  /** Whether the weights that were given are those of this network. */
  async function isOfWeights({ networks }: Snapshot, network: StoredNetwork): Promise<boolean> {
    if (weights === undefined) return false;
    const all = networks.map(({ sets: [{ set }], label }) => ({ label, settings: set.settings, known: set.network }));
    return (await ownerOf(weights, all as [(typeof all)[number], ...typeof all]))?.label === network.label;
  }
  async function load(snapshot: Snapshot, network: StoredNetwork): Promise<Loaded> {
    const { store } = snapshot;
    const { sets } = network;
    const [{ set }] = sets;
    const { settings, quantization, network: known } = set;
    const extractor = await extractorLike(
      settings,
      {
        tuned: await layersOfSet(store.path, set),
        cuts: sets.map(cutOf),
        engine: 'auto',
        device: 'auto',
        precision: 'auto',
        allowEngine,
        weights: (await isOfWeights(snapshot, network)) ? weights : undefined,
        known,
        calibrate: () => readCalibration(store.path, quantization!.calibration, settings.calibration),
      },
      snapshot.networks.length === 1 ? listener : notesOf(network.label, listener),
    );
    try {
      for (const [i, { name, set: own }] of sets.entries())
        requireLike(`What this engine gives of ${name}`, own.settings, extractor.sets[i]!.settings, allowEngine);
      return { extractor, agreement: await storeAgreement(extractor, store, sets, listener) };
    } catch (error) {
      await extractor.executable.dispose();
      throw error;
    }
  }
  async function unload(key: string): Promise<void> {
    const loaded = await made.get(key)?.catch(() => undefined);
    made.delete(key);
    await loaded?.extractor.executable.dispose();
  }
  async function loadedFor(snapshot: Snapshot, network: StoredNetwork): Promise<Loaded> {
    const there = new Set(snapshot.networks.map(keyOf));
    for (const key of [...made.keys()]) if (!there.has(key)) await unload(key);
    const key = keyOf(network);
    const known = made.get(key);
    if (known !== undefined) return known;
    const loaded = load(snapshot, network);
    made.set(key, loaded);
    // The next picture tries again: an engine may have been installed meanwhile.
    loaded.catch(() => made.delete(key));
    return loaded;
  }
  const unloadAll = async (): Promise<void> => {
    for (const key of [...made.keys()]) await unload(key);
  };

  return {
    warm(snapshot) {
      return exclusive(async () => {
        if (resting !== undefined) return;
        const network = snapshot.networks.find(({ sets }) => sets.includes(snapshot.features))!;
        const { executable, contract } = (await loadedFor(snapshot, network)).extractor;
        await executable.load();
        // The first run allocates and packs: nobody waits for this one.
        await executable.run(new Uint8Array(contract.size ** 2 * 3), 1);
      });
    },
    async extract(bytes, snapshot, parts) {
      return exclusive(async () => {
        if (resting !== undefined) throw new PermafrostError('OPTION_INVALID', resting);
        const features = new Map<string, Matrix>();
        const size = { width: 0, height: 0 };
        const agreements: EngineAgreement[] = [];
        let networkMs = 0;
        for (const network of snapshot.networks) {
          const wanted = network.sets.filter(({ name }) => parts.some(({ cut }) => cut === name));
          if (wanted.length === 0) continue;
          const { extractor, agreement } = await loadedFor(snapshot, network);
          const { executable, contract, outputs } = extractor;
          if (agreement !== undefined) agreements.push(agreement);
          const { header, pixels } = await openImage(bytes, contract, { mostPixels: MOST_PIXELS });
          const asked = await pixels;
          Object.assign(size, { width: header.width, height: header.height });
          const started = performance.now();
          const found = await executable.run(asked, 1);
          networkMs += performance.now() - started;
          for (const { name, set } of wanted)
            for (const [i, { cut, pooling }] of outputs.entries())
              if (cut === set.settings.cut) features.set(`${name}:${pooling}`, found[i]!);
        }
        return {
          sha256: sha256Hex(bytes),
          ...size,
          featuresIn({ cut, pooling }) {
            const found = features.get(`${cut}:${pooling}`);
            if (found !== undefined) return found;
            throw new PermafrostError('OPTION_INVALID', `The store has no features ${cut}:${pooling}.`);
          },
          networkMs,
          agreements,
        };
      });
    },
    async rest(reason) {
      resting = reason;
      await exclusive(unloadAll);
      return () => (resting = undefined);
    },
    dispose: () => exclusive(unloadAll),
  };
}

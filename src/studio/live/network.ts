import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { Listener } from '../../core/listener.ts';
import { POOLINGS, type Pooling } from '../../core/sample.ts';
import { decode, readHeader } from '../../extract/image/decode.ts';
import { readCalibration } from '../../store/read/calibration-file.ts';
import { fingerprintOf } from '../../store/format/fingerprint.ts';
import { extractorLike, type Extractor } from '../../workflows/network/extractor.ts';
import type { Snapshot } from './store.ts';
import { mutex } from './mutex.ts';

/** Pixels of the largest picture that is decoded for a page: a photograph of 100 megapixels takes 300 MB. */
export const MOST_PIXELS = 100e6;

/** What the network says of one picture. */
export interface Extracted {
  readonly sha256: string;
  /** Pixels as stored, before orientation. */
  readonly width: number;
  readonly height: number;
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
   * Features of one picture, made as the snapshot's were. Pictures take turns. Throws IMAGE_UNDECODABLE, also for more
   * than MOST_PIXELS; ENGINE_UNAVAILABLE and FINGERPRINT_MISMATCH where this machine cannot make such features;
   * OPTION_INVALID while it rests.
   */
  extract(bytes: Uint8Array, snapshot: Snapshot): Promise<Extracted>;
  /** Unloads the network and refuses pictures, with that reason, until the returned function is called. */
  rest(reason: string): Promise<() => void>;
  dispose(): Promise<void>;
}

/** Refuses by the header alone what would fill the memory. Throws IMAGE_UNDECODABLE. */
async function headerOf(bytes: Uint8Array): ReturnType<typeof readHeader> {
  const header = await readHeader(bytes);
  if (header.width * header.height > MOST_PIXELS)
    throw new PermafrostError(
      'IMAGE_UNDECODABLE',
      `The picture has ${header.width} x ${header.height} pixels, more than the ${MOST_PIXELS / 1e6} million that are decoded here. Make it smaller.`,
    );
  return header;
}

/** A network that is made when it is first needed, and made anew when the store's settings have changed. */
export function liveNetwork(weights: string | undefined, listener: Listener = {}): LiveNetwork {
  let made: { readonly fingerprint: string; readonly source: Promise<Extractor> } | undefined;
  let resting: string | undefined;
  const exclusive = mutex();

  function make({ store, set }: Snapshot): Promise<Extractor> {
    const { settings, quantization } = set;
    return extractorLike(
      settings,
      {
        cuts: [{ cut: settings.cut, poolings: POOLINGS }],
        engine: 'auto',
        device: 'auto',
        precision: 'auto',
        weights,
        calibrate: () => readCalibration(store.path, quantization!.calibration, settings.calibration),
      },
      listener,
    );
  }
  async function sourceFor(snapshot: Snapshot): Promise<Extractor> {
    const fingerprint = fingerprintOf(snapshot.set.settings);
    if (made?.fingerprint === fingerprint) return made.source;
    const before = made;
    const source = make(snapshot);
    made = { fingerprint, source };
    // What failed is tried anew by the next picture: an engine may have been installed meanwhile.
    source.catch(() => {
      if (made?.source === source) made = undefined;
    });
    if (before !== undefined) await (await before.source).executable.dispose();
    return source;
  }
  async function unload(): Promise<void> {
    const source = await made?.source.catch(() => undefined);
    made = undefined;
    await source?.executable.dispose();
  }

  return {
    warm(snapshot) {
      return exclusive(async () => {
        if (resting !== undefined) return;
        const { executable, contract } = await sourceFor(snapshot);
        await executable.load();
        // The first run allocates and packs: let it be one that nobody waits for.
        await executable.run(new Uint8Array(contract.size ** 2 * 3), 1);
      });
    },
    async extract(bytes, snapshot) {
      const header = await headerOf(bytes);
      return exclusive(async () => {
        if (resting !== undefined) throw new PermafrostError('OPTION_INVALID', resting);
        const { executable, contract, outputs } = await sourceFor(snapshot);
        const pixels = await decode(bytes, header, contract);
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

import { sha256Hex } from '../../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { selectRows, type Matrix } from '../../../core/matrix.ts';
import { toLossless } from '../../../extract/lossless-square.ts';
import { squareOf } from '../../../extract/image/open-image.ts';
import { isOfStorage } from '../../../extract/source/image-source.ts';
import { withSource } from '../../../extract/source/open.ts';
import { isRootThere } from '../../../extract/source/place.ts';
import type { Contract } from '../../../core/contract.ts';
import type { StoredSample } from '../../../store/format/shard.ts';
import type { Store } from '../../../store/open.ts';
import type { ProbeImages } from '../../../store/read/heads/probe-images.ts';
import type { StoredPart } from '../../../store/read/stored-parts.ts';
import { firstSamples } from '../../network/agreement/stored-pairs.ts';
import { probabilities, type TrainedHead } from '../trained-head.ts';
import type { Work } from '../../work.ts';

/** Features of all of them together that are kept beside the answers: 256 KiB. */
const MOST_FEATURES = 2 ** 16;
/** Images that are tried for one that can be read. */
const TRIED = 4;

/** How many probe images, and what the head reads where that is not the stored features themselves. */
export interface ProbesWanted {
  readonly wanted: number;
  /** Stored features, shape (n, width), to those that the head reads, image by image. */
  readonly through?: (features: Matrix) => Promise<Matrix>;
}

type Answering = Pick<TrainedHead, 'head' | 'normalizer'>;

/** The squares of a picture under each contract, as lossless WebP. Throws IMAGE_UNDECODABLE. */
export const squareFiles = (bytes: Uint8Array, contracts: readonly Contract[]): Promise<Uint8Array[]> =>
  Promise.all(contracts.map(async (contract) => toLossless(await squareOf(bytes, contract), contract.size)));

/** Probe images of the squares of each picture and the features that the training engine made of it, row by row. */
export async function probesOf(
  pictures: readonly (readonly Uint8Array[])[],
  features: Matrix,
  trained: Answering,
): Promise<ProbeImages> {
  return {
    squares: pictures[0]!.map((_, network) => pictures.map((files) => files[network]!)),
    answers: await probabilities(trained, features),
    features: features.data.length <= MOST_FEATURES ? features : undefined,
  };
}

/**
 * Probe images of a trained head: squares of stored images, held out where there are such, with the features of their
 * store and what the head answers to them; undefined where none can be read any more, which is noted.
 */
export async function makeProbes(
  store: Store,
  trained: Answering,
  parts: readonly StoredPart[],
  { wanted, through = (features) => Promise.resolve(features) }: ProbesWanted,
  { listener, signal }: Work,
): Promise<ProbeImages | undefined> {
  if (wanted === 0) return undefined;
  const { root } = store.manifest.dataset;
  const samples = await classesInTurn(store, wanted * TRIED);
  const contracts = [
    ...new Map(parts.map(({ set: { settings: s } }) => [`${s.backbone} ${s.weights}`, s.contract])).values(),
  ];
  const found: { readonly sample: StoredSample; readonly files: readonly Uint8Array[] }[] = [];
  let problem = `the data set is not at ${root}`;
  if (isRootThere(root))
    await withSource({ root }, async (source) => {
      for (const sample of samples) {
        if (found.length === wanted) break;
        try {
          const bytes = await source.read(sample.path, signal);
          if (sha256Hex(bytes) !== sample.sha256) throw new Error(`${sample.path} has changed`);
          found.push({ sample, files: await squareFiles(bytes, contracts) });
        } catch (error) {
          if (error instanceof PermafrostError && error.code === 'INTERRUPTED') throw error;
          problem = reasonOf(error);
          if (isOfStorage(error)) break;
        }
      }
    });
  if (found.length === 0) {
    listener?.note?.(
      `The head file carries no probe images, by which other engines are checked where the store is gone: ${problem}.`,
    );
    return undefined;
  }
  const own = store.withSamples(found.map(({ sample }) => sample));
  const rows = await own.rows({ parts, memory: 'matrix' });
  const listed = await rows.samplesOf(rows.places);
  const rowOf = new Map(Array.from(rows.places, (place, i) => [listed.get(place)!.path, i]));
  const features = selectRows(
    rows.matrix,
    found.map(({ sample }) => rowOf.get(sample.path)!),
  );
  return probesOf(
    found.map(({ files }) => files),
    await through(features),
    trained,
  );
}

/** Images to compare engines on, one of each class in turn, held out before trained on. */
async function classesInTurn(store: Store, most: number): Promise<StoredSample[]> {
  const byClass = new Map<string, ReturnType<typeof firstSamples>>();
  for (const sample of await store.samples()) {
    const own = byClass.get(sample.label) ?? firstSamples(most);
    byClass.set(sample.label, own);
    own.add(sample);
  }
  const classes = [...byClass.values()].map((own) => own.first());
  return classes
    .flatMap((own) => own.map((sample, round) => ({ sample, round })))
    .sort((a, b) => a.round - b.round || (a.sample.sha256 < b.sample.sha256 ? -1 : 1))
    .slice(0, most)
    .map(({ sample }) => sample);
}

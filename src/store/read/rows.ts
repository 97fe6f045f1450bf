import { inGigabytes } from '../../core/words.ts';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import { SPLITS, type FeaturePart, type PoolingChoice, type Split } from '../../core/sample.ts';
import type { StoreFolder } from '../format/manifest.ts';
import type { StoredSample } from '../format/shard.ts';
import { blockRows, type PickableRows } from './blocks.ts';
import type { StoreFiles } from './file.ts';
import { LAYOUT_ROW_BYTES, layOut, numbered } from './layout.ts';
import { matrixOfRows } from './matrix.ts';
import type { SampleList } from './samples.ts';
import { storedParts } from './stored-networks.ts';
import type { StoredPart } from './stored-parts.ts';

export type { PickableRows } from './blocks.ts';

/** Largest matrix that is read at once, in bytes: what one typed array holds in Node 20. */
export const MAX_MATRIX_BYTES = 2 ** 32;

/** What there is to hold features in. */
export interface MemoryRoom {
  /** Bytes that the process may take. */
  readonly bound: number;
  /** Bytes that it takes for anything else; by default 0. */
  readonly otherBytes?: number;
  /** How often they are in memory at once, as they are stored and as they are changed; by default 1. */
  readonly copies?: number;
}

/** Which features to read, of which images, and how. */
export interface RowsRequest {
  /** Poolings of the primary set, or parts side by side. */
  readonly parts: PoolingChoice | readonly FeaturePart[];
  /** Rows of these splits, one after the other; by default of all images, in the order of the list. */
  readonly splits?: readonly Split[];
  /** Stored views of each image to read too, which are there of training images; by default 0. */
  readonly views?: number;
  /** `matrix`: refused above 4 GiB. `blocks`: block by block. A room: a matrix where it fits, else blocks. */
  readonly memory: 'matrix' | 'blocks' | MemoryRoom;
  /** Whether a matrix lies in memory that threads share; by default not. */
  readonly shared?: boolean;
}

/** Features of stored images, raw float32: one matrix, or blocks that are read from the disk in each pass. */
export interface StoredRows extends PickableRows {
  readonly parts: readonly StoredPart[];
  /** Why they are read in blocks; undefined where they are one matrix. */
  readonly reason: string | undefined;
  /**
   * Row i is of sample places[i]; samples count split by split in the order of the list. In a matrix places[i] is i;
   * blocks keep the order in which their first part is stored.
   */
  readonly places: Int32Array;
  /** Row i is of labels[i]. */
  readonly labels: readonly string[];
  /**
   * SHA-256, lower-case hex, of the JSON of pairs of an image's SHA-256 and label, in the order on the disk; with
   * views, the digest of that and of the views' fingerprints.
   */
  readonly digest: string;
  /** The views: row i of the image of row i, in the same blocks. Blocks of several can be read beside each other. */
  readonly views: readonly PickableRows[];
  /** Bytes that the rows take while they are found and read, and when they are open. */
  readonly peakBytes: number;
  readonly openBytes: number;
  /** The samples of these numbers. Throws STORE_CORRUPT. */
  samplesOf(places: Iterable<number>): Promise<ReadonlyMap<number, StoredSample>>;
}

/** Rows that are one matrix, and so are their views. */
export interface MatrixRows extends StoredRows {
  readonly matrix: Matrix;
  readonly views: readonly (PickableRows & { readonly matrix: Matrix })[];
}

/** What rows are read from. */
export interface RowsOrigin extends StoreFolder, SampleList {
  readonly files: StoreFiles;
}

/** Bytes kept of each row while rows are open, and those for each further part. */
const ROW_BYTES = 80;
const PART_ROW_BYTES = 8;

/** Why features of that size are read in blocks; undefined where they can be one matrix. */
function reasonForBlocks(memory: RowsRequest['memory'], matrixBytes: number, views: number): string | undefined {
  if (memory === 'blocks') return 'so it was asked';
  // Whoever fits in memory puts images and views into one matrix.
  const largest = memory === 'matrix' ? matrixBytes : matrixBytes * (1 + views);
  if (largest > MAX_MATRIX_BYTES)
    return `${inGigabytes(largest)} of one split are above the ${inGigabytes(MAX_MATRIX_BYTES)} that are read at once`;
  if (memory === 'matrix') return undefined;
  const { bound, otherBytes = 0, copies = 1 } = memory;
  const needed = otherBytes + copies * matrixBytes * (1 + views);
  return needed > bound
    ? `in memory they would take about ${inGigabytes(needed)}, above the ${inGigabytes(bound)} allowed`
    : undefined;
}

/**
 * Current features of a store, of one part or several side by side, wherever writers move them while they are read.
 * Throws STORE_EMPTY, STORE_CORRUPT, STORE_CHANGED where some were removed (both in `read` too), and OPTION_INVALID for
 * a part or view that was not stored or a matrix above 4 GiB.
 */
export async function readRows(origin: RowsOrigin, request: RowsRequest): Promise<StoredRows> {
  const { files } = origin;
  const { parts: wanted, splits, views = 0, memory, shared = false } = request;
  const viewParts = Array.from({ length: 1 + views }, (_, view) => storedParts(origin, wanted, view));
  const [parts] = viewParts as [StoredPart[]];
  const cols = parts.reduce((sum, { width }) => sum + width, 0);
  const counts = await origin.counts();
  const rows = (splits ?? SPLITS).reduce((sum, split) => sum + counts[split], 0);
  const bytes = 4 * rows * cols;
  const reason = reasonForBlocks(memory, bytes, views);
  if (memory === 'matrix' && reason !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${rows} x ${cols} float32 features of ${splits?.join() ?? 'these images'} are ${(bytes / 2 ** 30).toFixed(1)} GiB, above the 4 GiB that are read at once. Use --pooling avg or max.`,
    );
  }
  const samples = async () => numbered(await origin.samples(), splits, counts);
  const layout = await layOut(files, viewParts, rows, samples);
  const found = { rows, cols, layout, files };
  const features = reason === undefined ? await matrixOfRows(found, shared) : blockRows(found);
  const kept = rows * (ROW_BYTES + PART_ROW_BYTES * (viewParts.flat().length - 1));
  const viewNames = viewParts.slice(1).flatMap((one) => one.map(({ set }) => set.fingerprint));
  return {
    ...features.images,
    parts,
    reason,
    places: features.places,
    labels: Array.from(features.places, (place) => layout.labels[place]!),
    digest: views === 0 ? layout.digest : sha256Hex(JSON.stringify([layout.digest, ...viewNames])),
    views: features.views,
    peakBytes: kept + Math.max(features.readingBytes, rows * LAYOUT_ROW_BYTES),
    openBytes: kept + features.openBytes,
    async samplesOf(places) {
      const left = new Set(places);
      const found = new Map<number, StoredSample>();
      if (left.size === 0) return found;
      for (const { sample, place } of await samples()) {
        if (left.delete(place)) found.set(place, sample);
        if (left.size === 0) break;
      }
      return found;
    },
  };
}

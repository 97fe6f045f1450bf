import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import { widthOf, type FeaturePart, type Pooling } from '../../core/sample.ts';
import type { FeatureSet, Manifest } from '../../store/format/manifest.ts';
import type { Store } from '../../store/open.ts';
import { openRows, type RowAccess } from '../../store/read/access.ts';
import { sampleTable, type SampleTable } from '../../store/read/sample-table.ts';
import { storedNetworks, type NamedSet, type StoredNetwork } from '../../store/read/stored-networks.ts';
import { smallPooling } from '../../store/read/stored-parts.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import { BASE_BYTES, NETWORK_BYTES } from '../../workflows/memory.ts';
import type { ImageCard } from '../api/studio-data.ts';
import { giveBackMemory } from './give-back-memory.ts';
import { liveRows, type LiveRows } from './rows.ts';

/** The data set of a store at one moment, seen through one cut of one network: rows are numbers of samples. */
export interface Snapshot {
  /**
   * Names it: 12 hex digits of the digest of the list of samples, and 12 of that of its sets; where it is not seen
   * through the primary set, the fingerprint of that too.
   */
  readonly name: string;
  readonly store: Store;
  /** All networks whose features the data set has, the primary one first. */
  readonly networks: readonly StoredNetwork[];
  /** The cut that neighbours, map and taught classes are seen through. */
  readonly features: NamedSet;
  /** That of `features`. */
  readonly set: FeatureSet;
  /** The fingerprint of `set` where it is that of a tuned network, which was asked for; else ''. */
  readonly tuned: string;
  readonly samples: SampleTable;
  /** How `rows` are pooled: avg where the data set was extracted with it. */
  readonly pooling: Pooling;
  /** Whether features are read from the disk at each use: they do not fit into the memory allowed. */
  readonly isStreamed: boolean;
  /** Bytes that a training, check or sweep may take, Node's included. */
  readonly room: number;
  /** Features of every image; read or laid out on first use, then kept until those of another cut are asked for. */
  rows(): Promise<LiveRows>;
  /** A part of the features of one image, shape (1, width). Throws OPTION_INVALID where the store lacks it. */
  featuresOf(row: number, part: FeaturePart): Promise<Matrix>;
}

/** The name of what a manifest holds, seen through its primary set. */
export function nameOf({ dataset: { samples, sets, others } }: Manifest): string {
  const covering = canonicalJson(others === undefined ? sets : [sets, others]);
  return `${samples?.sha256.slice(0, 12) ?? 'none'}-${sha256Hex(covering).slice(0, 12)}`;
}

/** Single rows of any part of a store's features. */
function singleRows(store: Store, sets: readonly NamedSet[]) {
  const opened = new Map<NamedSet, RowAccess>();
  return async ({ id, path }: StoredSample, { cut, pooling }: FeaturePart): Promise<Matrix> => {
    const set = sets.find(({ name }) => name === cut);
    const access = set && (opened.get(set) ?? openRows(store, set));
    if (access !== undefined) opened.set(set!, access);
    const found = (await access?.rowsById([id], pooling))?.get(id);
    if (found !== undefined) return { data: found, rows: 1, cols: found.length };
    throw new PermafrostError(
      'OPTION_INVALID',
      `The store lacks the features ${cut}:${pooling} of ${path}. Run "permafrost extract" with that pooling in --cut.`,
    );
  };
}

/**
 * The data set through each of its cuts, within `bound` bytes of memory, that of the primary set first. `tuned` is the
 * fingerprint of the tuned network that the store is read through, where it is. Throws STORE_EMPTY, STORE_CORRUPT.
 */
export async function takeSnapshots(store: Store, bound: number, tuned: string): Promise<readonly Snapshot[]> {
  const samples = sampleTable(await store.samples());
  const networks = storedNetworks(store);
  const sets = networks.flatMap((network) => network.sets);
  const singles = singleRows(store, sets);
  const networkBytes = NETWORK_BYTES * networks.length;
  // Of several cuts those are held that were asked for last.
  let held: { readonly name: string; readonly rows: Promise<LiveRows> } | undefined;

  function through(features: NamedSet, at: number): Snapshot {
    const { set, name } = features;
    const pooling = smallPooling(features);
    const bytes = samples.length * widthOf(set.widths, pooling) * 4;
    // The features, and those of a head that is trained: as they are stored, and normalised.
    const isStreamed = BASE_BYTES + networkBytes + samples.bytes + 3 * bytes > bound;
    const open = async (): Promise<LiveRows> => {
      const parts = [{ cut: name, pooling }];
      const stored = await store.rows({ parts, memory: isStreamed ? 'blocks' : 'matrix' });
      // Finding a million rows took 0.25 GB.
      if (isStreamed) giveBackMemory();
      return liveRows(stored);
    };
    const opened = (): Promise<LiveRows> => {
      if (held?.name === name) return held.rows;
      const rows = open();
      held = { name, rows };
      // The next call tries again.
      rows.catch(() => {
        if (held?.rows === rows) held = undefined;
      });
      return rows;
    };
    return {
      name: at === 0 ? nameOf(store.manifest) : `${nameOf(store.manifest)}-${set.fingerprint}`,
      store,
      networks,
      features,
      set,
      tuned,
      pooling,
      samples,
      isStreamed,
      room: bound - samples.bytes - (isStreamed ? 0 : bytes + networkBytes),
      rows: opened,
      async featuresOf(row, part) {
        if (part.cut === name && part.pooling === pooling) return (await opened()).rows([row]);
        return singles(samples.sample(row), part);
      },
    };
  }
  return sets.map(through);
}

/** One image of a snapshot as pages show it. */
export function cardOf({ samples }: Snapshot, row: number): ImageCard {
  return { row, path: samples.pathOf(row), label: samples.labelOf(row), split: samples.splitOf(row) };
}

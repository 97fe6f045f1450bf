import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { ImageCard, StoreFacts } from '../api/studio-data.ts';
import { widthOf, type Pooling } from '../../core/sample.ts';
import { PermafrostError } from '../../core/errors.ts';
import { MANIFEST_NAME, type FeatureSet, type Manifest } from '../../store/format/manifest.ts';
import { openStore, type Store } from '../../store/open.ts';
import { openRows } from '../../store/read/access.ts';
import { sampleTable, type SampleTable } from '../../store/read/sample-table.ts';
import { currentSets, smallPooling } from '../../store/read/stored-parts.ts';
import { storeThrough } from '../../workflows/train/files/store-through.ts';
import { BASE_BYTES, NETWORK_BYTES } from '../../workflows/memory.ts';
import { giveBackMemory } from './give-back-memory.ts';
import { liveRows, type LiveRows } from './rows.ts';

/** The data set of a store as it was at one moment: rows are numbers into `samples`. */
export interface Snapshot {
  /** Names it: 12 hex digits of the digest of the list of samples, and 12 of that of its sets. */
  readonly name: string;
  readonly store: Store;
  readonly set: FeatureSet;
  /** The fingerprint of `set` where it is that of a tuned network, which was asked for; else ''. */
  readonly network: string;
  readonly samples: SampleTable;
  /** How `rows` are pooled: avg where the data set was extracted with it. */
  readonly pooling: Pooling;
  /** Whether features are read from the disk at each use: they do not fit into the memory allowed. */
  readonly isStreamed: boolean;
  /** Bytes that a training, check or sweep may take, Node's included. */
  readonly room: number;
  /** Features of every image; read or laid out on first use, then kept. */
  rows(): Promise<LiveRows>;
  /** Features of one image, shape (1, width), in any pooling. Throws OPTION_INVALID where the store lacks them. */
  featuresOf(row: number, pooling: Pooling): Promise<Matrix>;
}

/** A store that stays open; what another process extracts is seen at the next call. */
export interface LiveStore {
  readonly path: string;
  current(): Promise<Snapshot>;
  /** The current snapshot if it has that name. Throws STORE_EMPTY where another extraction took its place. */
  named(name: string): Promise<Snapshot>;
}

function nameOf({ dataset: { samples, sets, others } }: Manifest): string {
  const covering = canonicalJson(others === undefined ? sets : [sets, others]);
  return `${samples?.sha256.slice(0, 12) ?? 'none'}-${sha256Hex(covering).slice(0, 12)}`;
}

async function take(store: Store, bound: number, isAsked: boolean): Promise<Snapshot> {
  const samples = sampleTable(await store.samples());
  const [primary] = currentSets(store);
  const pooling = smallPooling(primary);
  const features = samples.length * widthOf(primary.set.widths, pooling) * 4;
  // The features, and those of a head that is trained: as they are stored, and normalised.
  const isStreamed = BASE_BYTES + NETWORK_BYTES + samples.bytes + 3 * features > bound;
  let rows: Promise<LiveRows> | undefined;
  const open = async (): Promise<LiveRows> => {
    const stored = await store.rows({ parts: pooling, memory: isStreamed ? 'blocks' : 'matrix' });
    // Finding a million rows took 0.25 GB.
    if (isStreamed) giveBackMemory();
    return liveRows(stored);
  };
  const access = openRows(store);
  const opened = (): Promise<LiveRows> => {
    rows ??= open();
    rows.catch(() => (rows = undefined)); // the next call tries again
    return rows;
  };
  return {
    name: nameOf(store.manifest),
    store,
    set: primary.set,
    network: isAsked ? primary.set.fingerprint : '',
    pooling,
    samples,
    isStreamed,
    room: bound - samples.bytes - (isStreamed ? 0 : features + NETWORK_BYTES),
    rows: opened,
    async featuresOf(row, wanted) {
      if (wanted === pooling) return (await opened()).rows([row]);
      const { id, path } = samples.sample(row);
      const found = (await access.rowsById([id], wanted)).get(id);
      if (found !== undefined) return { data: found, rows: 1, cols: found.length };
      throw new PermafrostError(
        'OPTION_INVALID',
        `The store lacks the ${wanted} features of ${path}. Run "permafrost extract" with that pooling in --cut.`,
      );
    },
  };
}

/** What changes whenever the manifest is replaced. */
async function stampOf(store: string): Promise<string> {
  // openStore reports a manifest that is gone.
  const found = await stat(join(store, MANIFEST_NAME)).catch(() => undefined);
  return `${found?.ino}/${found?.mtimeMs}/${found?.size}`;
}

/**
 * Opens a store within `bound` bytes of memory, with the features of a tuned network where `backboneFile` names one
 * (storeThrough). Throws STORE_NOT_FOUND, STORE_EMPTY, STORE_CORRUPT, STORE_VERSION, HEAD_CORRUPT.
 */
export async function openLiveStore(storePath: string, bound: number, backboneFile = ''): Promise<LiveStore> {
  const path = resolve(storePath);
  let stamp = await stampOf(path);
  const isAsked = backboneFile !== '';
  const open = async (): Promise<Store> => storeThrough(await openStore(path), backboneFile);
  let latest = await take(await open(), bound, isAsked);
  const current = async (): Promise<Snapshot> => {
    const now = await stampOf(path);
    if (now === stamp) return latest;
    const store = await open();
    if (nameOf(store.manifest) !== latest.name) latest = await take(store, bound, isAsked);
    stamp = now;
    return latest;
  };
  return {
    path,
    current,
    async named(name) {
      const snapshot = await current();
      if (snapshot.name === name) return snapshot;
      throw new PermafrostError(
        'STORE_EMPTY',
        `The store holds another data set now than the page shows (${snapshot.name}, not ${name}). Load the page again.`,
      );
    },
  };
}

/** One image of a snapshot as pages show it. */
export function cardOf({ samples }: Snapshot, row: number): ImageCard {
  return { row, path: samples.pathOf(row), label: samples.labelOf(row), split: samples.splitOf(row) };
}

/** What a snapshot holds, in counts. */
export function storeFacts({ name, store, set, samples }: Snapshot): StoreFacts {
  const { labels, splits } = samples.counts();
  const { device, precision } = set.engine;
  return {
    store: store.path,
    dataset: store.manifest.dataset.root,
    snapshot: name,
    images: samples.length,
    failed: store.manifest.dataset.failures.length,
    classes: samples.labels.map((label, i) => ({ label, images: labels[i]! })),
    splits: Object.fromEntries(Object.entries(splits).filter(([, n]) => n > 0)),
    engine: `${set.engine.name} on ${device}, ${precision}`,
    cut: set.settings.cut,
    contract: set.settings.contract.name,
  };
}

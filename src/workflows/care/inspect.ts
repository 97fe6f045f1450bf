import { resolve } from 'node:path';
import type { InspectResult } from '../../results/store-results.ts';
import type { Pooling, Split } from '../../core/sample.ts';
import { contractId } from '../../extract/contract.ts';
import { coveringSets, poolingsOf, type FeatureSet, type StoreFolder } from '../../store/format/manifest.ts';
import { readManifest } from '../../store/format/manifest-file.ts';
import { storeAt } from '../../store/open.ts';
import { whileSteady } from '../../store/read/changed.ts';
import { takeUpSealed } from '../../store/write/shard-files.ts';
import { firstChanged } from '../network/tuned-layers.ts';

const bytesOf = ({ shards, tuned }: FeatureSet): number =>
  shards.flatMap(({ files }) => Object.values(files)).reduce((sum, file) => sum + file.bytes, tuned?.layers.bytes ?? 0);

function rowsByPooling({ shards }: FeatureSet): Partial<Record<Pooling, number>> {
  const rows: Partial<Record<Pooling, number>> = {};
  for (const shard of shards)
    for (const pooling of poolingsOf(shard)) rows[pooling] = (rows[pooling] ?? 0) + shard.rows;
  return rows;
}

/** Images by class and split. */
async function classesOf(store: StoreFolder) {
  const classes = new Map<string, Partial<Record<Split, number>>>();
  let images = 0;
  for (const { label, split } of store.manifest.dataset.samples === undefined ? [] : await storeAt(store).samples()) {
    images++;
    const counts = classes.get(label) ?? {};
    counts[split] = (counts[split] ?? 0) + 1;
    classes.set(label, counts);
  }
  return { classes, images };
}

/** What a store holds. Throws STORE_CHANGED where it is written to without a pause, and what readManifest throws. */
export async function inspect(storePath: string): Promise<InspectResult> {
  const path = resolve(storePath);
  const { manifest, classes, images } = await whileSteady(path, async () => {
    const draft = { path, manifest: await readManifest(path) };
    await takeUpSealed(draft);
    return { manifest: draft.manifest, ...(await classesOf(draft)) };
  });
  const covering = new Set(coveringSets(manifest).map(({ fingerprint }) => fingerprint));
  const sets = manifest.sets.map((set) => {
    const { backbone, weights, cut, contract, dtype } = set.settings;
    const poolings = rowsByPooling(set);
    return {
      fingerprint: set.fingerprint,
      current: covering.has(set.fingerprint),
      primary: set.fingerprint === manifest.dataset.sets[0]?.fingerprint,
      backbone,
      ...(set.network && { network: { ...set.network } }),
      weights,
      cut,
      contract: { ...contract },
      contractId: contractId(contract),
      dtype,
      engine: set.engine,
      cosineToFp32: set.quantization?.cosine ?? null,
      tuned: set.tuned === undefined ? null : { from: firstChanged(set.settings), base: set.tuned.base },
      widths: set.widths,
      poolings,
      rows: Math.max(0, ...Object.values(poolings)),
      shards: set.shards.length,
      bytes: bytesOf(set),
    };
  });
  return {
    store: path,
    version: manifest.version,
    dataset: manifest.dataset.root,
    images,
    classes: [...classes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, splits]) => ({ label, splits })),
    failed: manifest.dataset.failures,
    sets,
    bytes: sets.reduce((sum, set) => sum + set.bytes, 0) + (manifest.dataset.samples?.bytes ?? 0),
  };
}

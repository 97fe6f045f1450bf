import type { Listener } from '../../../core/listener.ts';
import { row } from '../../../core/matrix.ts';
import type { mutex } from '../../../core/mutex.ts';
import { openJournal } from '../../../store/format/journal.ts';
import { journalPath, taughtFeaturesSchema } from '../../../store/format/studio-files.ts';
import type { LiveNetwork } from '../network.ts';
import type { Snapshot } from '../snapshot.ts';

/** Average-pooled features of taught images, kept on the disk. */
export interface TaughtFeatureStore {
  /**
   * Features of an image as the snapshot's were made, shape (width of avg): kept ones, else from the bytes that `read`
   * gives. Throws what LiveNetwork.extract and `read` throw, STORE_WRITE.
   */
  of(sha256: string, snapshot: Snapshot, read: () => Promise<Uint8Array>): Promise<Float32Array>;
  /** After their file was removed, in a turn of its caller's: begins anew. */
  forget(): Promise<void>;
}

function decode(text: string): Float32Array {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer, 0, bytes.length / 4);
}

/**
 * Opens the features that the studio keeps in a store; they are written in the turns that `exclusive` gives. Throws
 * STORE_CORRUPT.
 */
export async function taughtFeatures(
  store: string,
  network: LiveNetwork,
  listener: Listener,
  exclusive: ReturnType<typeof mutex>,
): Promise<TaughtFeatureStore> {
  const open = () =>
    openJournal(journalPath(store, 'features.jsonl'), taughtFeaturesSchema, (text) => listener.note?.(text));
  let kept = await open();
  const known = new Map(kept.entries.map(({ sha256, fingerprint, avg }) => [`${fingerprint}/${sha256}`, decode(avg)]));
  return {
    async forget() {
      kept = await open();
      known.clear();
    },
    async of(sha256, snapshot, read) {
      const { fingerprint } = snapshot.set;
      const key = `${fingerprint}/${sha256}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const part = { cut: snapshot.features.name, pooling: 'avg' } as const;
      const avg = row((await network.extract(await read(), snapshot, [part])).featuresIn(part), 0);
      const bytes = Buffer.from(avg.buffer, avg.byteOffset, avg.byteLength);
      await exclusive(async () => {
        // Another request may have had the same picture meanwhile.
        if (known.has(key)) return;
        await kept.append({ sha256, fingerprint, avg: bytes.toString('base64') });
        known.set(key, avg);
      });
      return avg;
    },
  };
}

import { PermafrostError } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import { row } from '../../../core/matrix.ts';
import { mutex } from '../../../core/mutex.ts';
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
  /** Begins anew after `remove`, which removes their file. Throws what that throws. */
  forget(remove: () => Promise<void>): Promise<void>;
}

function decode(text: string): Float32Array {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}

/** Opens the features that the studio keeps in a store. Throws STORE_CORRUPT. */
export async function taughtFeatures(
  store: string,
  network: LiveNetwork,
  listener: Listener,
): Promise<TaughtFeatureStore> {
  const open = () =>
    openJournal(journalPath(store, 'features.jsonl'), taughtFeaturesSchema, (text) => listener.note?.(text));
  let kept = await open();
  // What is written goes to the file of now, not to one that is being forgotten.
  const exclusive = mutex();
  const known = new Map(kept.entries.map(({ sha256, fingerprint, avg }) => [`${fingerprint}/${sha256}`, decode(avg)]));
  return {
    forget: (remove) =>
      exclusive(async () => {
        await remove();
        kept = await open();
        known.clear();
      }),
    async of(sha256, snapshot, read) {
      const { fingerprint } = snapshot.set;
      const key = `${fingerprint}/${sha256}`;
      const before = known.get(key);
      if (before !== undefined) {
        const width = snapshot.set.widths.avg;
        if (before.length === width && before.every(Number.isFinite)) return before;
        throw new PermafrostError(
          'STORE_CORRUPT',
          `${journalPath(store, 'features.jsonl')} does not hold ${width} numbers of the image ${sha256}. Remove the file and its seal: the studio makes it again.`,
        );
      }
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

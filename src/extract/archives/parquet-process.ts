// A process of its own, started by read-parquet.ts: it reads parts of Parquet files, and can be ended at any time.
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { NO_BYTES, type Parcel } from '../isolated/parcels.ts';
import { serveTasks } from '../isolated/serve-tasks.ts';
import { metadataIn, valuesIn } from './parquet-package.ts';
import type { ParquetAnswer, ParquetTask } from './parquet-task.ts';

function imagesOf(values: readonly unknown[]): Parcel<ParquetAnswer> {
  const images = values.map((value) => (value ?? undefined) as Uint8Array | undefined);
  const other = images.find((image) => image !== undefined && !(image instanceof Uint8Array));
  if (other !== undefined) throw new Error(`an image is ${typeof other}, and no bytes`);
  const lengths = Float64Array.from(images, (image) => image?.length ?? -1);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + Math.max(0, length), 0));
  let at = 0;
  for (const image of images) {
    if (image === undefined) continue;
    bytes.set(image, at);
    at += image.length;
  }
  return { content: { kind: 'images', lengths }, bytes };
}

const alone = (content: ParquetAnswer): Parcel<ParquetAnswer> => ({ content, bytes: NO_BYTES });

async function answerTo(task: ParquetTask, bytes: Uint8Array): Promise<Parcel<ParquetAnswer>> {
  try {
    if (task.kind === 'metadata') return alone({ kind: 'metadata', metadata: await metadataIn(bytes) });
    const values = await valuesIn(bytes, task);
    return task.kind === 'images' ? imagesOf(values) : alone({ kind: 'values', values });
  } catch (error) {
    const message = reasonOf(error);
    const isMissing = error instanceof PermafrostError && error.code === 'PACKAGE_MISSING';
    return alone({ kind: 'failure', code: isMissing ? 'PACKAGE_MISSING' : 'ARCHIVE_CORRUPT', message });
  }
}

serveTasks(answerTo);

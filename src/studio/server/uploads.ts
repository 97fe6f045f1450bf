import type { Context } from 'hono';
import { lanes } from '../../core/mutex.ts';
import { announcedLength, bodyOf } from '../../http/body.ts';
import { MOST_UPLOAD_BYTES } from '../api/api.ts';

/** Bytes of uploads that are in memory at once: three of the largest, or some hundred photographs. */
const HELD_BYTES = 3 * MOST_UPLOAD_BYTES;

/** Reads an uploaded image and works with it: as many at once as there is room for, the rest waits unread. */
export type Uploaded = <T>(c: Context, work: (bytes: Uint8Array) => Promise<T>) => Promise<T>;

/** Throws what bodyOf throws: 413 at once. */
export function uploads(): Uploaded {
  const inLane = lanes(HELD_BYTES);
  return (c, work) => {
    const bytes = announcedLength(c) ?? MOST_UPLOAD_BYTES;
    const taken = async () => work(await bodyOf(c, MOST_UPLOAD_BYTES));
    return bytes > MOST_UPLOAD_BYTES ? taken() : inLane(taken, bytes);
  };
}

import { addAbortSignal, type Readable } from 'node:stream';

/** A body of which nothing comes for so long is broken off. */
const SILENCE_MS = 60_000;

/** An answer that ended before all of it was there, or otherwise than it should. */
export class BrokenBody extends Error {}

/**
 * The bytes of an answer, `length` of them where that is known. Throws BrokenBody where it is cut off, stands still or
 * its checksum is wrong.
 */
export async function bodyBytes(
  body: Readable,
  length: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  if (signal !== undefined) addAbortSignal(signal, body);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const timer = setTimeout(() => body.destroy(new Error(`nothing came for ${SILENCE_MS / 1000} s`)), SILENCE_MS);
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      timer.refresh();
      chunks.push(chunk);
      size += chunk.length;
    }
  } catch (cause) {
    const told = cause instanceof Error ? cause.message : String(cause);
    throw new BrokenBody(`it ended after ${size} of ${length ?? 'its'} bytes (${told})`, { cause });
  } finally {
    clearTimeout(timer);
  }
  if (length !== undefined && size !== length) throw new BrokenBody(`${size} of ${length} bytes came`);
  return Buffer.concat(chunks, size);
}

import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { inGigabytes } from '../../core/words.ts';
import { progressMeter } from '../progress-meter.ts';
import type { Work } from '../work.ts';

/** ONNX files end there: larger ones keep their values elsewhere. */
const MOST_BYTES = 2 ** 31;

export const isAddress = (text: string): boolean => /^https?:\/\//i.test(text);

function unreachable(address: string, reason: string, cause?: unknown): PermafrostError {
  return new PermafrostError(
    'BACKBONE_NOT_FOUND',
    `${address} cannot be fetched: ${reason}. Nothing was added. Where a proxy lies between, fetch it by another program and give the file.`,
    { cause },
  );
}

/** Fetches an http or https address, redirections followed, into a new file. Throws BACKBONE_NOT_FOUND, INTERRUPTED. */
export async function fetchFile(address: string, path: string, { signal, listener }: Work): Promise<void> {
  try {
    const answer = await fetch(address, { signal: signal ?? null });
    if (!answer.ok || answer.body === null) throw unreachable(address, `the server answers ${answer.status}`);
    const length = Number(answer.headers.get('content-length') ?? 0);
    const meter = progressMeter('fetching', Math.ceil(length / 1e6), listener, 'MB');
    let bytes = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        const before = Math.floor(bytes / 1e6);
        bytes += chunk.length;
        const more = Math.floor(bytes / 1e6) - before;
        if (more > 0) meter.advance(more, more);
        if (bytes < MOST_BYTES) done(null, chunk);
        else done(unreachable(address, `it has more than ${inGigabytes(MOST_BYTES)}, the most that an ONNX file may`));
      },
    });
    const body = Readable.fromWeb(answer.body);
    await pipeline(body, counted, createWriteStream(path, { flags: 'wx' }), { signal: signal ?? undefined });
  } catch (cause) {
    if (signal?.aborted === true)
      throw new PermafrostError('INTERRUPTED', 'Interrupted; nothing was added.', { cause });
    if (cause instanceof PermafrostError) throw cause;
    // What fetch throws says "fetch failed"; why, its cause says.
    const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw unreachable(address, reasonOf(inner), cause);
  }
}

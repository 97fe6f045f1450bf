import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type * as z from 'zod';
import { MOST_UPLOAD_BYTES } from '../api/api.ts';
import type { Snapshot } from '../live/snapshot.ts';
import type { Studio } from './studio.ts';

/** Largest JSON body, in bytes. */
const MOST_JSON_BYTES = 64 * 2 ** 10;

function tooLarge(most: number): HTTPException {
  const size = most >= 2 ** 20 ? `${most / 2 ** 20} MiB` : `${most / 2 ** 10} KiB`;
  return new HTTPException(413, { message: `The upload has more than ${size}, the most that the studio takes.` });
}

/** The body of a request; refused, by its announced or its real length, before more than `most` bytes are in memory. */
export async function bodyOf(c: Context, most: number = MOST_UPLOAD_BYTES): Promise<Uint8Array> {
  if (Number(c.req.header('content-length') ?? '0') > most) throw tooLarge(most);
  const stream = c.req.raw.body;
  if (stream === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the stream.
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The data set as a request sees it: through the features that its query names. Throws OPTION_INVALID. */
export const snapshotOf = (c: Context, { store }: Pick<Studio, 'store'>): Promise<Snapshot> =>
  store.current(c.req.query('features') ?? '');

/** A JSON body in the shape of `schema`. */
export async function jsonOf<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = new TextDecoder().decode(await bodyOf(c, MOST_JSON_BYTES));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new HTTPException(400, { message: 'The body is no JSON.' });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new HTTPException(400, { message: `${issue!.path.join('.') || 'body'}: ${issue!.message}` });
}

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type * as z from 'zod';

/** Largest JSON body, in bytes. */
const MOST_JSON_BYTES = 64 * 2 ** 10;

/** A limit in words, for the message: whole units where it is some. */
function inWords(bytes: number): string {
  for (const [name, unit] of Object.entries({ MiB: 2 ** 20, MB: 1e6, KiB: 2 ** 10 }))
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit} ${name}`;
  return `${bytes} bytes`;
}

const tooLarge = (most: number): HTTPException =>
  new HTTPException(413, { message: `The body has more than ${inWords(most)}, the most that is taken here.` });

/** The length that a request announces for its body; undefined where it comes in chunks. */
export function announcedLength(c: Context): number | undefined {
  const text = c.req.header('content-length');
  return text === undefined ? undefined : Number(text);
}

/** The body of a request; refused, by its announced or its real length, before more than `most` bytes are in memory. */
export async function bodyOf(c: Context, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = announcedLength(c);
  if (announced !== undefined) {
    if (announced > most) throw tooLarge(most);
    // HTTP's parser ends a body at its announced length, so this one is bounded.
    return new Uint8Array(await c.req.raw.arrayBuffer());
  }
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

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type * as z from 'zod';
import { MOST_UPLOAD_BYTES } from '../api/api.ts';

/** Largest JSON body, in bytes. */
const MOST_JSON_BYTES = 64 * 2 ** 10;

/** A refusal with a sentence for people; the connection is closed, because the rest of the body is not read. */
function tooLarge(most: number): HTTPException {
  return new HTTPException(413, {
    message: `The upload has more than ${most / 2 ** 20 >= 1 ? `${most / 2 ** 20} MiB` : `${most / 2 ** 10} KiB`}, the most that the studio takes.`,
  });
}

/**
 * The body of a request, refused by its announced length or as soon as more has come than `most` bytes: never more is
 * in memory.
 */
export async function bodyOf(c: Context, most: number = MOST_UPLOAD_BYTES): Promise<Uint8Array> {
  const announced = Number(c.req.header('content-length') ?? '0');
  if (announced > most) throw tooLarge(most);
  const stream = c.req.raw.body;
  if (stream === null) return new Uint8Array(0);
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
    if (done || value === undefined) break;
    length += value.length;
    if (length > most) {
      await reader.cancel();
      throw tooLarge(most);
    }
    chunks.push(value);
  }
  return Buffer.concat(chunks);
}

/** A JSON body that has the shape of `schema`. */
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

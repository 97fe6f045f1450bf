import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type * as z from 'zod';

/** Largest JSON body, in bytes. */
const MOST_JSON_BYTES = 64 * 2 ** 10;
/** A body of which nothing came for so long is given up: what it holds of the memory is others'. */
const SILENT_MS = 30_000;
/** A refused body of so many bytes is read, so that its connection can be used again. */
const READ_ANYWAY_BYTES = 64 * 2 ** 10;

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

/** Before a refusal: the connection ends with it where the body is long, so that nobody reads that to its end. */
export function leaveBodyUnread(c: Context): void {
  const isLong = (announcedLength(c) ?? 0) > READ_ANYWAY_BYTES || c.req.header('transfer-encoding') !== undefined;
  if (isLong) c.header('Connection', 'close');
}

/** The next part of a body. Throws 408 where none comes for `silentMs`, 400 where its sender is gone. */
async function nextPart(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  silentMs: number,
): Promise<Uint8Array | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    const message = `Nothing came of the body for ${silentMs / 1000} seconds.`;
    timer = setTimeout(() => reject(new HTTPException(408, { message })), silentMs);
  });
  try {
    const { done, value } = await Promise.race([reader.read(), silence]);
    return done ? undefined : value;
  } catch (cause) {
    if (cause instanceof HTTPException) throw cause;
    throw new HTTPException(400, { message: 'The connection ended before the body did.', cause });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The body of a request, once in memory; refused, by its announced or its real length, before more than `most` bytes
 * are there. Throws 413, 408 where nothing comes for `silentMs`, 400 where the sender is gone.
 */
export async function bodyOf(c: Context, most: number, silentMs = SILENT_MS): Promise<Uint8Array<ArrayBuffer>> {
  const announced = announcedLength(c);
  if (announced !== undefined && announced > most) throw tooLarge(most);
  const stream: ReadableStream<Uint8Array> | null = c.req.raw.body;
  if (stream === null) return new Uint8Array(0);
  // HTTP's parser ends a body at its announced length.
  const whole = announced === undefined ? undefined : new Uint8Array(announced);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  try {
    for (let part = await nextPart(reader, silentMs); part !== undefined; part = await nextPart(reader, silentMs)) {
      if (length + part.length > (announced ?? most)) throw tooLarge(most);
      if (whole === undefined) chunks.push(part);
      else whole.set(part, length);
      length += part.length;
    }
  } catch (error) {
    // Nothing more is read of it.
    reader.cancel().catch(() => undefined);
    throw error;
  }
  return whole ?? Buffer.concat(chunks);
}

/** What no text or name in JSON may be: half a character, and a name that changes what objects are. */
function requirePlain(name: string, value: unknown): unknown {
  if (name === '__proto__')
    throw new HTTPException(400, { message: 'The body has the name "__proto__", which nothing here has.' });
  for (const text of [name, value])
    if (typeof text === 'string' && /\p{Surrogate}/u.test(text))
      throw new HTTPException(400, { message: `${JSON.stringify(text)} is no text: it holds half a character.` });
  return value;
}

/** A JSON body in the shape of `schema`. */
export async function jsonOf<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const bytes = await bodyOf(c, MOST_JSON_BYTES);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), requirePlain);
  } catch (cause) {
    if (cause instanceof HTTPException) throw cause;
    throw new HTTPException(400, { message: 'The body is no JSON in UTF-8.' });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new HTTPException(400, { message: `${issue!.path.join('.') || 'body'}: ${issue!.message}` });
}

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';

/** One image of a request with several. */
export interface UploadedImage {
  /** The file name that its sender gave, else its number, from 1 on. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** How images come: the body is one image, or a form with many. */
export type UploadKind = 'image' | 'form';

const TAKEN =
  'Send the bytes of one image with "Content-Type: image/…" (or application/octet-stream), or any number of images as multipart/form-data.';

/** What the type of a request says of its body. Throws 415 for all that is neither an image nor a form. */
export function uploadKind(c: Context): UploadKind {
  const type = c.req.header('content-type');
  // Programs that send a file often name no type.
  if (type === undefined) return 'image';
  const [name = ''] = type.toLowerCase().split(';');
  if (name.trim() === 'multipart/form-data') return 'form';
  if (name.trim() === 'application/octet-stream' || name.startsWith('image/')) return 'image';
  throw new HTTPException(415, { message: `The body is of the type ${JSON.stringify(type)}. ${TAKEN}` });
}

/**
 * The files of a form, in its order. Fields of text are refused: what is asked stands in the address. Throws 400. The
 * form is parsed in memory: `body` and a copy of it are there meanwhile.
 */
export async function imagesOfForm(c: Context, body: Uint8Array<ArrayBuffer>): Promise<UploadedImage[]> {
  const headers = { 'content-type': c.req.header('content-type')! };
  let form: FormData;
  try {
    form = await new Response(body, { headers }).formData();
  } catch (cause) {
    throw new HTTPException(400, { message: 'The body is no multipart/form-data, or is cut off.', cause });
  }
  const images: UploadedImage[] = [];
  for (const [field, value] of form) {
    if (typeof value === 'string')
      throw new HTTPException(400, {
        message: `The field ${JSON.stringify(field)} of the form is text, not a file. Put what you ask into the address: /predict?top=3. With curl a file is -F image=@FILE.`,
      });
    images.push({ name: value.name || String(images.length + 1), bytes: new Uint8Array(await value.arrayBuffer()) });
  }
  if (images.length === 0) throw new HTTPException(400, { message: `The form holds no file. ${TAKEN}` });
  return images;
}

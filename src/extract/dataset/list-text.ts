import { isUtf8 } from 'node:buffer';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { MOST_TEXT_BYTES, readWhole } from '../../core/files/read-file.ts';
import { isS3Address, parseS3Address } from '../source/s3/address.ts';
import { openS3 } from '../source/s3/s3-access.ts';

const refuse = (message: string): never => {
  throw new PermafrostError('DATASET_LAYOUT', message);
};

/** The offset of the first byte that is no UTF-8: where the bytes and their text, written again, part. */
function firstInvalid(bytes: Buffer): number {
  const again = Buffer.from(bytes.toString('utf8'), 'utf8');
  let at = 0;
  while (at < bytes.length && bytes[at] === again[at]) at++;
  // The start of the character that does not end as it should.
  while (at > 0 && (bytes[at]! & 0xc0) === 0x80 && (bytes[at - 1]! & 0x80) !== 0) at--;
  return at;
}

function utf16(file: string, bytes: Buffer, bigEndian: boolean): string {
  if (bytes.length % 2 !== 0)
    refuse(
      `${file} is UTF-16 by its mark but has an odd number of bytes (${bytes.length}): it is cut off or damaged. Save it again, as UTF-8.`,
    );
  const text = (bigEndian ? Buffer.from(bytes).swap16() : bytes).toString('utf16le', 2);
  const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(text);
  if (lone !== null)
    refuse(
      `${file}, line ${lineAt(text, lone.index)}: the bytes at offset ${2 + 2 * lone.index} are no UTF-16 (half a character). Save the list as UTF-8.`,
    );
  return text;
}

const lineAt = (text: string, end: number): number => text.slice(0, end).split(/\r\n|\r|\n/).length;

/** The bytes of a file or object. */
async function bytesOf(file: string): Promise<Buffer> {
  if (!isS3Address(file)) return readWhole(file, MOST_TEXT_BYTES);
  const s3 = await openS3();
  return s3.read(parseS3Address(file), { isLarge: true }).finally(() => s3.close());
}

/**
 * The text of a list: UTF-8, or UTF-16 where it begins with its mark. Throws DATASET_NOT_FOUND, and DATASET_LAYOUT with
 * line and byte offset where the bytes are neither: nothing is replaced. A list in S3 throws what reading there throws.
 */
export async function readListText(file: string): Promise<string> {
  const bytes = await bytesOf(file).catch((cause: unknown) => {
    // What is wrong with one object is told of an image elsewhere.
    if (cause instanceof PermafrostError && cause.code !== 'IMAGE_UNREADABLE') throw cause;
    throw new PermafrostError('DATASET_NOT_FOUND', `${file} cannot be read: ${reasonOf(cause)}.`, { cause });
  });
  const mark = bytes.subarray(0, 4).toString('hex');
  if (mark === 'fffe0000' || mark === '0000feff') refuse(`${file} is UTF-32 by its mark. Save it as UTF-8.`);
  if (mark.startsWith('fffe') || mark.startsWith('feff')) return utf16(file, bytes, mark.startsWith('feff'));
  if (!isUtf8(bytes)) {
    const at = firstInvalid(bytes);
    const byte = `0x${bytes[at]!.toString(16).toUpperCase().padStart(2, '0')}`;
    refuse(
      `${file}, line ${lineAt(bytes.toString('utf8', 0, at), at)}: the byte ${byte} at offset ${at} is no UTF-8, so the list is in another encoding (Windows-1252?). Save it as UTF-8: in Excel as "CSV UTF-8", or with iconv -f WINDOWS-1252 -t UTF-8.`,
    );
  }
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  const nul = text.indexOf('\0');
  if (nul >= 0)
    refuse(
      `${file}, line ${lineAt(text, nul)}: a NUL character. If the list is UTF-16, it lacks the mark that says so. Save it as UTF-8.`,
    );
  return text;
}

import { PermafrostError } from '../../core/errors.ts';

/** What libvips says on the way to an error and that tells nobody what is wrong. */
const NOISE = /bad seek to|^VipsImage: killed|^vips__file_read_name/;
/** What sharp says where libvips says nothing. */
const EMPTY: ReadonlySet<string> = new Set(['Input buffer has corrupt header:', 'Unknown error']);
const MOST_LINES = 3;

/** The failure of an image that was stopped after `timeoutMs`. */
export function tookTooLong(timeoutMs: number): PermafrostError {
  return new PermafrostError(
    'IMAGE_UNDECODABLE',
    `Decoding it takes longer than ${timeoutMs / 1000} s and was ended (--image-timeout-ms). Save it in a simpler form, or take it out.`,
  );
}

/** The lines of a message that say what is wrong: no noise, and each once, whatever its numbers; '' where none does. */
function telling(message: string): string {
  const lines = new Map<string, string>();
  for (const line of message.split('\n').map((text) => text.trim())) {
    const kind = line.replace(/\d+/g, 'N');
    if (line !== '' && !lines.has(kind)) lines.set(kind, line);
  }
  const all = [...lines.values()];
  const isRepeated = (line: string): boolean => all.some((other) => other !== line && other.endsWith(line));
  const clear = all.filter((line) => !NOISE.test(line) && !isRepeated(line));
  const text = (clear.length > 0 ? clear : all).slice(0, MOST_LINES).join('; ');
  return EMPTY.has(text) ? '' : text;
}

/** IMAGE_UNDECODABLE with what helps of what sharp says of an image; `timeoutMs`: after which it was to be stopped. */
export function whatIsWrong(cause: unknown, timeoutMs?: number): PermafrostError {
  const said = cause instanceof Error ? cause.message : String(cause);
  if (timeoutMs !== undefined && said.startsWith('timeout:')) return tookTooLong(timeoutMs);
  const reason = /unsupported image format/.test(said)
    ? 'The bytes are no JPEG, PNG, WebP, GIF, TIFF, AVIF, SVG, BMP, PPM, PGM, PBM or HEIC, the formats that are decoded. Convert the file, or take it out.'
    : telling(said) || 'It is damaged; libvips gives no details.';
  return new PermafrostError('IMAGE_UNDECODABLE', reason, { cause });
}

import { createHash } from 'node:crypto';

/** Lower-case hex SHA-256 of bytes or of a string's UTF-8. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** SHA-256 of a string's UTF-8 in base64, as a Content-Security-Policy names it. */
export function sha256Base64(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

/** JSON with keys in sorted order, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** The fields in which two JSON values differ, such as `contract.channelOrder: "BGR", not "RGB"`; empty for equals. */
export function differences(a: unknown, b: unknown, path = ''): string[] {
  const isRecord = (v: unknown): v is Record<string, unknown> =>
    v !== null && typeof v === 'object' && !Array.isArray(v);
  if (isRecord(a) && isRecord(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return keys.flatMap((key) => differences(a[key], b[key], path === '' ? key : `${path}.${key}`));
  }
  return canonicalJson(a) === canonicalJson(b) ? [] : [`${path}: ${JSON.stringify(a)}, not ${JSON.stringify(b)}`];
}

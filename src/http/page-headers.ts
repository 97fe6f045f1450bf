import type { Context } from 'hono';

/** Pages run and load what the server itself sends, and nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(self), microphone=(), geolocation=()',
  'Cache-Control': 'no-store',
};

/** Gives an answer, made already or still to be made, what keeps it to its own pages; a Cache-Control stays. */
export function setPageHeaders(c: Context): void {
  for (const [name, value] of Object.entries(HEADERS))
    if (!c.finalized) c.header(name, value);
    else if (name !== 'Cache-Control' || !c.res.headers.has(name)) c.res.headers.set(name, value);
}

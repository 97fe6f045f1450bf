import { timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

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

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * Lets through the studio's own page, and programs that know the token. Host keeps out other names of 127.0.0.1, Origin
 * and Sec-Fetch-Site other pages, the token other users. It stands in the printed address, then in a cookie that
 * neither scripts nor other sites can use; programs send it as `Authorization: Bearer`.
 */
export function guard(token: string, port: () => number): MiddlewareHandler {
  return async (c, next) => {
    const hosts = [`127.0.0.1:${port()}`, `localhost:${port()}`];
    const refuse = (status: 401 | 403, message: string): Response => {
      for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
      return c.json({ code: 'REFUSED', message }, status);
    };
    const host = c.req.header('host') ?? '';
    if (!hosts.includes(host)) return refuse(403, `This is the studio of ${hosts[0]}, not of ${JSON.stringify(host)}.`);
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== `http://${host}`)
      return refuse(403, `Pages of ${JSON.stringify(origin)} may not ask the studio.`);
    const site = c.req.header('sec-fetch-site');
    if (site !== undefined && !['same-origin', 'none'].includes(site))
      return refuse(403, 'Pages of other sites may not ask the studio.');

    // Cookies know no ports: the name tells studios of one machine apart.
    const cookie = `permafrost-${port()}`;
    const given = c.req.query('token');
    if (c.req.method === 'GET' && c.req.path === '/' && given !== undefined && equal(given, token)) {
      setCookie(c, cookie, token, { httpOnly: true, sameSite: 'Strict', path: '/' });
      for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
      return c.redirect('/', 303);
    }
    const bearer = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1];
    const known = [bearer, getCookie(c, cookie)].some((text) => text !== undefined && equal(text, token));
    if (!known)
      return refuse(401, 'Open the address that "permafrost studio" printed: the token in it lets your browser in.');
    // A browser names the origin of every change; a program sends the token itself.
    if (!['GET', 'HEAD'].includes(c.req.method) && origin === undefined && bearer === undefined)
      return refuse(403, 'A request that changes something must name its origin.');

    await next();
    for (const [name, value] of Object.entries(HEADERS))
      if (name !== 'Cache-Control' || !c.res.headers.has(name)) c.res.headers.set(name, value);
    return undefined;
  };
}

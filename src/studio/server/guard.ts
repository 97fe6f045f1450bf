import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { leaveBodyUnread } from '../../http/body.ts';
import { setPageHeaders } from '../../http/page-headers.ts';
import { bearerOf, foreignReason, sameSecret } from '../../http/who-asks.ts';

export interface GuardRequest {
  readonly token: string;
  /** The path below which a browser sees the studio, `/…/`: random, another one each time. */
  readonly home: string;
  readonly port: () => number;
}

/**
 * Lets through the studio's own page, and programs that know the token. Host keeps out other names of 127.0.0.1, Origin
 * and Sec-Fetch-Site other pages, the token other users. It stands in the printed address, then in a cookie that
 * neither scripts nor other sites can use; programs send it as `Authorization: Bearer`. A browser sends cookies to every
 * port of a host, so to servers of other users too: this one only below `home`, which they cannot know and ask for.
 */
export function guard({ token, home, port }: GuardRequest): MiddlewareHandler {
  return async (c, next) => {
    const refuse = (status: 401 | 403, message: string): Response => {
      leaveBodyUnread(c);
      setPageHeaders(c);
      return c.json({ code: 'REFUSED', message }, status);
    };
    const foreign = foreignReason(c, 'studio', [`127.0.0.1:${port()}`, `localhost:${port()}`]);
    if (foreign !== undefined) return refuse(403, foreign);

    // The name tells studios of one machine apart.
    const name = `permafrost-${port()}`;
    const given = c.req.query('token');
    if (c.req.method === 'GET' && c.req.path === '/' && given !== undefined && sameSecret(given, token)) {
      setCookie(c, name, token, { httpOnly: true, sameSite: 'Strict', path: home });
      setPageHeaders(c);
      return c.redirect(home, 303);
    }
    const bearer = bearerOf(c);
    const cookie = c.req.path.startsWith(home) ? getCookie(c, name) : undefined;
    const known = [bearer, cookie].some((text) => text !== undefined && sameSecret(text, token));
    if (!known)
      return refuse(401, 'Open the address that "permafrost studio" printed: the token in it lets your browser in.');
    // A browser names the origin of every change; a program sends the token itself.
    if (!['GET', 'HEAD'].includes(c.req.method) && c.req.header('origin') === undefined && bearer === undefined)
      return refuse(403, 'A request that changes something must name its origin.');

    await next();
    setPageHeaders(c);
    return undefined;
  };
}

import type { MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { PermafrostError } from '../core/errors.ts';
import { leaveBodyUnread } from '../http/body.ts';
import { setPageHeaders } from '../http/page-headers.ts';
import { bearerOf, foreignReason, sameSecret } from '../http/who-asks.ts';
import type { ServeOptions } from './options.ts';

/** What is told without the token: probes have none, and the page asks for it. */
const OPEN: readonly string[] = ['/', '/style.css', '/client.js', '/openapi.json', '/healthz', '/readyz'];

const isLoopback = (host: string): boolean => /^(127(\.\d{1,3}){3}|localhost|::1)$/i.test(host);

/** Throws OPTION_INVALID where other machines may reach the address and nothing says who may ask. */
export function checkAddress({ host, token, insecure }: Pick<ServeOptions, 'host' | 'token' | 'insecure'>): void {
  if (isLoopback(host) || token !== '' || insecure) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `serve: other machines can reach ${host}. Give --token TOKEN (or PERMAFROST_TOKEN), which who asks must send, or --insecure to answer everybody.`,
  );
}

/** An address as it stands in a URL. */
export const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/**
 * With a token: lets through who sends it. Without one: programs, and the service's own page. Where only this machine
 * reaches it, under its own names alone, so that no page gets in by DNS rebinding.
 */
export function guard({ host, token }: Pick<ServeOptions, 'host' | 'token'>, port: () => number): MiddlewareHandler {
  return async (c, next) => {
    if (token === '') {
      const names = isLoopback(host)
        ? [host, '127.0.0.1', 'localhost', '::1'].map((name) => `${inUrl(name)}:${port()}`)
        : undefined;
      const reason = foreignReason(c, 'service', names);
      if (reason !== undefined) {
        leaveBodyUnread(c);
        throw new HTTPException(403, { message: reason });
      }
    } else if (!OPEN.includes(c.req.path) && !sameSecret(bearerOf(c) ?? '', token)) {
      leaveBodyUnread(c);
      c.header('WWW-Authenticate', 'Bearer');
      throw new HTTPException(401, { message: 'Send the token of this service: "Authorization: Bearer TOKEN".' });
    }
    await next();
    setPageHeaders(c);
  };
}

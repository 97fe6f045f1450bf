import { timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';

/** Whether two secrets are equal, in a time that tells nothing of where they differ. */
export function sameSecret(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The token of `Authorization: Bearer TOKEN`. */
export function bearerOf(c: Context): string | undefined {
  return /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1];
}

/**
 * Why a request is not of the server's own pages or of a program, undefined where it is. `hosts`: the names under which
 * the server is asked, all others lead to it by DNS rebinding; undefined: any. `name`: of the server, for the message.
 */
export function foreignReason(c: Context, name: string, hosts: readonly string[] | undefined): string | undefined {
  const host = c.req.header('host') ?? '';
  if (hosts?.includes(host) === false) return `This is the ${name} of ${hosts[0]}, not of ${JSON.stringify(host)}.`;
  const origin = c.req.header('origin');
  if (origin !== undefined && !isOriginOf(host, origin))
    return `Pages of ${JSON.stringify(origin)} may not ask the ${name}.`;
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined && !['same-origin', 'none'].includes(site))
    return `Pages of other sites may not ask the ${name}.`;
  return undefined;
}

/** Whether a page of this origin was sent by this host itself. */
const isOriginOf = (host: string, origin: string): boolean => origin === `http://${host}`;

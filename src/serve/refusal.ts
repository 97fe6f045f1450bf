import type { ErrorHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { PermafrostError, reasonOf, type ErrorCode } from '../core/errors.ts';
import type { Listener } from '../core/listener.ts';
import { setPageHeaders } from '../http/page-headers.ts';
import type { Fault } from './api.ts';
import type { Queue } from './queue.ts';

/** What the service says no with, by HTTP status; an image's own fault has a code of permafrost's (docs/errors.md). */
export const REFUSALS = {
  400: 'REQUEST_INVALID',
  401: 'TOKEN_MISSING',
  403: 'REFUSED',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'BODY_STALLED',
  413: 'BODY_TOO_LARGE',
  415: 'TYPE_UNKNOWN',
  429: 'QUEUE_FULL',
  503: 'NOT_READY',
} as const;

/** Status of an answer that nobody waits for any more, as nginx has it: only the metrics see it. */
export const CLIENT_GONE = 499;

/** Status by permafrost's code; the rest are faults of the service. */
const STATUS: Readonly<Partial<Record<ErrorCode, 400 | 422>>> = {
  OPTION_INVALID: 400,
  IMAGE_UNREADABLE: 422,
  IMAGE_UNDECODABLE: 422,
  IMAGE_CRASHED: 422,
};

/** Answers what was thrown, in JSON, with a code that programs may test. */
export function refusals(queue: Queue, listener: Listener): ErrorHandler {
  return (error, c) => {
    setPageHeaders(c);
    if (c.req.raw.signal.aborted) return new Response(null, { status: CLIENT_GONE });
    const fault = (code: string): Fault => ({ error: { code, message: reasonOf(error) } });
    if (error instanceof HTTPException) {
      const { status } = error;
      // The rest of the body is not read.
      if (status === 413 || status === 408) c.header('Connection', 'close');
      if (status === 429) c.header('Retry-After', String(queue.retryAfterSeconds));
      if (status === 503) c.header('Retry-After', '1');
      return c.json(fault(REFUSALS[status as keyof typeof REFUSALS] ?? 'REFUSED'), status);
    }
    if (error instanceof PermafrostError && STATUS[error.code] !== undefined)
      return c.json(fault(error.code), STATUS[error.code]);
    listener.note?.(`serve: a request failed: ${error.stack ?? reasonOf(error)}`);
    return c.json(fault(error instanceof PermafrostError ? error.code : 'INTERNAL'), 500);
  };
}

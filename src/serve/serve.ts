import { readFile } from 'node:fs/promises';
import { HTTPException } from 'hono/http-exception';
import { PermafrostError } from '../core/errors.ts';
import { pick, resolveOptions } from '../core/options.ts';
import { parseBytes } from '../core/words.ts';
import { listen } from '../http/listen.ts';
import type { ServeResult } from '../results/serve-result.ts';
import { CLASSIFIER_OPTIONS } from '../workflows/classifier/options.ts';
import type { Work } from '../workflows/work.ts';
import type { Ready } from './api.ts';
import { serviceApp } from './app.ts';
import { checkAddress, inUrl } from './guard.ts';
import { closeHeads, headFacts, namedSources, openHeads, type OpenHead } from './heads.ts';
import { makeMetrics } from './metrics.ts';
import { SERVE_OPTIONS, type ServeOptions } from './options.ts';
import { makeQueue } from './queue.ts';
import type { Service } from './service.ts';
import { stoppable } from './stop.ts';

export type { ServeOptions };

/** Bodies of the largest size that may be in memory at once. */
const LARGEST_BODIES = 8;
/** How long a request may take to be sent: a slow one keeps its place in the queue. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than the minute after which proxies give up a connection: a server that closes first cuts requests off. */
const KEEP_ALIVE_MS = 75_000;

/** A service that runs until it is closed. */
export interface RunningService extends ServeResult {
  /** Takes nothing new, answers all that waits, then unloads the networks. */
  close(): Promise<void>;
}

/**
 * Answers images over HTTP with one head or several, each a head file or a store (its best head), named `NAME=PATH` or
 * after the file. It resolves when all are loaded. Throws OPTION_INVALID (also where the port is taken, or others can
 * reach the address and neither `token` nor `insecure` says who may), and what openClassifier throws.
 */
export async function serve(
  heads: readonly string[],
  given: Partial<ServeOptions> = {},
  work: Work = {},
): Promise<RunningService> {
  const { listener = {} } = work;
  const options = resolveOptions('serve', SERVE_OPTIONS, given);
  if (heads.length === 0) throw new PermafrostError('OPTION_INVALID', 'serve: name at least one head file or store.');
  checkAddress(options);
  const sources = await namedSources(heads);
  const bytes = parseBytes(options.maxBytes)!;
  const queue = makeQueue(options.queue, LARGEST_BODIES * bytes);
  let opened: readonly OpenHead[] | undefined;
  let status: Ready['status'] = 'starting';
  let port = options.port;
  const service: Service = {
    state: () => status,
    heads(): readonly OpenHead[] {
      if (opened !== undefined) return opened;
      throw new HTTPException(503, { message: 'The networks are still being loaded. Come again in a moment.' });
    },
    limits: { bytes },
    queue,
    metrics: makeMetrics(queue, () => (opened ?? []).map(headFacts)),
  };
  const script = await readFile(new URL('./page/client.js', import.meta.url), 'utf8');
  const app = serviceApp({ service, options, port: () => port, script, listener });
  // First, since it fails at once where the port is taken: loading takes seconds.
  const listening = await listen(app.fetch, { host: options.host, port, owner: 'The service' });
  const { server } = listening;
  port = listening.port;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const connections = stoppable(server);
  try {
    opened = await openHeads(sources, pick(options, CLASSIFIER_OPTIONS), work);
  } catch (error) {
    await connections.stop();
    throw error;
  }
  status = 'ready';
  return {
    url: `http://${inUrl(options.host)}:${port}`,
    host: options.host,
    port,
    heads: opened.map(headFacts),
    async close() {
      status = 'stopping';
      await connections.stop();
      await closeHeads(opened);
    },
  };
}

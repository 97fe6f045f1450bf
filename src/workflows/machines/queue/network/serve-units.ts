import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PermafrostError, reasonOf } from '../../../../core/errors.ts';
import type { openUnitWorker, UnitWorker } from '../../unit-worker.ts';
import type { NetworkNews, NetworkOrder } from './messages.ts';

type OpenOrder = Extract<NetworkOrder, { do: 'open' }>;

const WATCHDOG = new URL(`./watchdog${extname(import.meta.url)}`, import.meta.url);

/**
 * The side of the process that runs the network: it opens a plan, then follows orders one after the other. It ends as
 * soon as its parent is gone: what it would publish might be another worker's by then.
 */
export function serveUnits(open: typeof openUnitWorker): void {
  const end = (): void => void process.kill(process.pid, 'SIGKILL');
  process.once('disconnect', end);
  // On a thread of its own: an engine may hold this one for as long as it computes.
  new Worker(WATCHDOG, { workerData: { parent: Number(process.argv[2]) } }).unref();
  // The parent gets them too, and says what is to be done.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

  const send = (news: NetworkNews): void => void process.send!(news);
  const note = (text: string): void => send({ kind: 'note', text });
  let stopping = new AbortController();
  let opened: UnitWorker | undefined;

  async function openPlan({ plan, root, weights, threads }: OpenOrder, signal: AbortSignal): Promise<NetworkNews> {
    const worker = await open(plan, { ...(root !== '' && { root }), weights, threads }, { signal, listener: { note } });
    opened = worker;
    const { run, units } = worker.plan;
    const images = Array.from({ length: units.count }, (_, unit) => worker.imagesOf(unit));
    return { kind: 'open', opened: { run, units: images } };
  }

  async function follow(order: Exclude<NetworkOrder, { do: 'stop' }>, signal: AbortSignal): Promise<NetworkNews> {
    switch (order.do) {
      case 'open':
        return openPlan(order, signal);
      case 'count-missing':
        return { kind: 'missing', units: (await opened!.missing()).length };
      case 'extract': {
        const { unit, crashed, only } = order;
        const onImages = (done: number, of: number): void => send({ kind: 'images', done, of });
        const request = { signal, onImages, crashed, ...(only !== null && { only }) };
        return { kind: 'outcome', outcome: await opened!.extract(unit, request) };
      }
    }
  }

  process.on('message', (message) => {
    const order = message as NetworkOrder;
    if (order.do === 'stop') {
      stopping.abort();
      return;
    }
    stopping = new AbortController();
    follow(order, stopping.signal).then(send, (error: unknown) =>
      send({
        kind: 'failed',
        code: error instanceof PermafrostError ? error.code : null,
        message: reasonOf(error),
        stack: String((error as Error).stack ?? error),
      }),
    );
  });
}

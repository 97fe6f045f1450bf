import type { MiddlewareHandler } from 'hono';
import type { ServedHead } from '../results/serve-result.ts';
import { counter, histogram, info, reading, TEXT_FORMAT, type Labels, type Metric } from './prometheus.ts';
import type { Queue } from './queue.ts';

/** What is counted of the service. */
export interface Metrics {
  readonly contentType: string;
  /** Counts each request and its time. */
  readonly watch: MiddlewareHandler;
  /** An image that a head answered. */
  answered(head: string, isUnknown: boolean): void;
  /** An image that could not be read. */
  failed(head: string): void;
  /** All of it for Prometheus. */
  text(): string;
}

/** Seconds: from a fast network alone to a full queue. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A few names for all addresses, however they are misspelt. */
function routeOf(path: string): string {
  if (/^(\/heads\/[^/]+)?\/predict$/.test(path)) return 'predict';
  if (/^\/heads(\/[^/]+)?$/.test(path)) return 'heads';
  return ['/healthz', '/readyz', '/metrics'].includes(path) ? path.slice(1) : 'other';
}

/** What answers under a name: rates by head are joined to it. */
const headLabels = ({ name, head, digest, backbone, engine, others }: ServedHead): Labels => {
  const engines = [engine, ...others.map((one) => one.engine)];
  const all = (of: keyof typeof engine): string => [...new Set(engines.map((one) => one[of]))].join('+');
  return {
    head: name,
    kind: head,
    digest,
    backbone,
    engine: all('name'),
    device: all('device'),
    precision: all('precision'),
  };
};

/** Metrics of a service that has just started; `heads` gives those that are open. */
export function makeMetrics(queue: Queue, heads: () => readonly ServedHead[]): Metrics {
  const started = Date.now() / 1000;
  const requests = counter('permafrost_requests_total', 'Requests by route and status; 499: the client has gone.');
  const seconds = histogram('permafrost_predict_seconds', 'Seconds from request to answer of /predict.', SECONDS);
  const images = counter('permafrost_images_total', 'Images by head and outcome: known, unknown, failed.');
  const processor = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const all: readonly Metric[] = [
    requests,
    seconds,
    images,
    info('permafrost_head_info', 'What answers: 1 for each open head.', () => heads().map(headLabels)),
    reading('permafrost_queue_images', 'Images that wait or are under way.', () => queue.images),
    reading('permafrost_queue_limit', 'Most images that may wait.', () => queue.most),
    reading('process_cpu_seconds_total', 'Processor time of the process.', processor, 'counter'),
    reading('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss()),
    reading('process_start_time_seconds', 'When the process started, in seconds since 1970.', () => started),
  ];
  return {
    contentType: TEXT_FORMAT,
    async watch(c, next) {
      const from = performance.now();
      await next();
      const route = routeOf(c.req.path);
      requests.add({ route, status: String(c.res.status) });
      if (route === 'predict') seconds.observe((performance.now() - from) / 1000);
    },
    answered: (head, isUnknown) => images.add({ head, outcome: isUnknown ? 'unknown' : 'known' }),
    failed: (head) => images.add({ head, outcome: 'failed' }),
    text: () => all.map((metric) => metric.text()).join(''),
  };
}

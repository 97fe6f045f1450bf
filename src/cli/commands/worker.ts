import { pick } from '../../core/options.ts';
import { workerText } from '../../report/queue-report.ts';
import { WORKER_OPTIONS } from '../../workflows/machines/queue/options.ts';
import { type CommandSpec } from '../program.ts';

export const workerCommand: CommandSpec = {
  name: 'worker',
  summary: 'take units of a plan from a queue and extract them, until all are there',
  arguments: [['<queue>', 'redis://HOST/0 or rediss://HOST/0, without user and password']],
  options: WORKER_OPTIONS,
  more: 'PERMAFROST_QUEUE_USER and PERMAFROST_QUEUE_PASSWORD tell who asks. --json prints a line a unit, then one for the whole.\nCtrl-C or SIGTERM gives the unit back and ends. docs/queue.md tells the rest.',
  isStream: () => true,
  async act([url], flags, context) {
    const { worker } = await import('../../workflows/machines/queue/worker.ts');
    const result = await worker(url as string, pick(flags, WORKER_OPTIONS), {
      ...context,
      onUnit: (unit) => context.announce({ event: 'unit', ...unit }, ''),
    });
    return {
      json: { event: 'end', ...result },
      text: workerText(result),
      failed: result.failures,
      ok: result.missing === 0,
    };
  },
};

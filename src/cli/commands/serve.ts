import { pick } from '../../core/options.ts';
import { once } from 'node:events';
import { SERVE_OPTIONS } from '../../serve/options.ts';
import { servedText } from '../../report/answers/serve-report.ts';
import { type CommandSpec } from '../program.ts';

export const serveCommand: CommandSpec = {
  name: 'serve',
  summary: 'answer images over HTTP: POST /predict, with metrics, an OpenAPI document and a page to try it',
  arguments: [['<heads...>', 'head files or stores (a store: its best head); NAME=PATH names one']],
  options: SERVE_OPTIONS,
  more: 'It prints its address when the networks are loaded, and runs until Ctrl-C or SIGTERM: then it answers all that waits. docs/serve.md tells the rest.',
  async act([heads], flags, context) {
    const { signal } = context;
    const { serve } = await import('../../serve/serve.ts');
    const given = { token: process.env['PERMAFROST_TOKEN'] ?? '', ...pick(flags, SERVE_OPTIONS) };
    const service = await serve(heads as string[], given, context);
    const { url, host, port, heads: served } = service;
    const result = { url, host, port, heads: served };
    context.announce(result, servedText(result));
    if (!signal.aborted) await once(signal, 'abort');
    await service.close();
    return { json: undefined, text: 'The service has ended; all that waited was answered.\n' };
  },
};

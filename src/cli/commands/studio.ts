import { pick } from '../../core/options.ts';
import { once } from 'node:events';
import { STUDIO_OPTIONS } from '../../studio/server/options.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import { type CommandSpec } from '../program.ts';

export const studioCommand: CommandSpec = {
  name: 'studio',
  summary: 'a local page to browse, search, teach, sweep and review with the real network',
  arguments: [['<store>', 'a store that extract or run made']],
  options: { ...STUDIO_OPTIONS, ...TAKE_OVER_OPTIONS },
  more: 'It prints its address, with a token that lets your browser in, and runs until Ctrl-C. docs/studio.md tells the rest.',
  async act([store], flags, context) {
    const { signal } = context;
    const { serveStudio } = await import('../../studio/server/server.ts');
    const studio = await serveStudio(store as string, pick(flags, STUDIO_OPTIONS), context);
    const { address, port } = studio;
    context.announce({ store: store as string, address, port }, `Open ${address}\nCtrl-C ends the studio.\n`);
    if (!signal.aborted) await once(signal, 'abort');
    await studio.close();
    return { json: undefined, text: 'The studio has ended; what was taught and reviewed is kept in the store.\n' };
  },
};

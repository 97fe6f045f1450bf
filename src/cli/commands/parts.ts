import { pick } from '../../core/options.ts';
import { partsText } from '../../report/machines-report.ts';
import { PARTS_OPTIONS } from '../../workflows/machines/options.ts';
import { type CommandSpec } from '../program.ts';

export const partsCommand: CommandSpec = {
  name: 'parts',
  summary: 'how far a planned extraction is: units finished, under way, dead and missing; machines and their speed',
  arguments: [['<store>', 'the store that was planned for']],
  options: PARTS_OPTIONS,
  async act([store], flags) {
    const { parts } = await import('../../workflows/machines/parts.ts');
    const result = await parts(store as string, pick(flags, PARTS_OPTIONS));
    return { json: result, text: partsText(result) };
  },
};

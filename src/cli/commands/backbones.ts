import { pick } from '../../core/options.ts';
import { backbonesText } from '../../report/backbones/backbones-report.ts';
import { BACKBONES_OPTIONS } from '../../workflows/backbone/options.ts';
import { type CommandSpec } from '../program.ts';

export const backbonesCommand: CommandSpec = {
  name: 'backbones',
  summary: 'list the networks that are there and those that can be added; add or remove one',
  arguments: [
    ['[action]', 'list (the default), add or remove'],
    ['[network]', 'the ONNX file to add, or its http(s) address; the name of one to remove'],
  ],
  options: BACKBONES_OPTIONS,
  more: 'What is added goes to the cache folder of the user, under its SHA-256; --backbone NAME finds it there.',
  async act([action, network], flags, context) {
    const { backbones } = await import('../../workflows/backbone/backbones.ts');
    const options = pick(flags, BACKBONES_OPTIONS);
    const result = await backbones(action as string | undefined, network as string | undefined, options, context);
    return { json: result, text: backbonesText(result) };
  },
};

import { enginesText } from '../../report/engines-report.ts';
import type { CommandSpec } from '../program.ts';

export const enginesCommand: CommandSpec = {
  name: 'engines',
  summary: 'list, add or remove the runtimes that make extraction faster',
  arguments: [
    ['[action]', 'list (the default), add or remove'],
    ['[name]', 'the engine to add or remove, such as openvino'],
  ],
  options: {},
  more: 'What is added goes to the cache folder of the user and is checked by its SHA-256. onnxruntime comes with permafrost.',
  async act([action, name], _flags, context) {
    const { engines } = await import('../../workflows/engines/engines.ts');
    const result = await engines((action as string | undefined) ?? 'list', name as string | undefined, context);
    return { json: result, text: enginesText(result) };
  },
};

import { pick } from '../../core/options.ts';
import { backboneText } from '../../report/backbones/backbone-report.ts';
import { DESCRIBE_OPTIONS } from '../../workflows/backbone/options.ts';
import { type CommandSpec } from '../program.ts';

export const backboneCommand: CommandSpec = {
  name: 'backbone',
  summary: 'what a network is: input, outputs, where it can be cut, its preprocessing and whether that is right',
  arguments: [['<network>', 'an ONNX file, or the name of a network ("permafrost backbones" lists them)']],
  options: DESCRIBE_OPTIONS,
  async act([network], flags, context) {
    const { backbone } = await import('../../workflows/backbone/backbone.ts');
    const result = await backbone(network as string, pick(flags, DESCRIBE_OPTIONS), context);
    return {
      json: result,
      text: backboneText(result),
      ok: result.contractMissing === null && result.check?.verdict !== 'beaten',
    };
  },
};

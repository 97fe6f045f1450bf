import { HEADS } from '../../classify/heads/index.ts';
import { type OptionTable, flagOf, pick } from '../../core/options.ts';
import { TRAIN_OPTIONS } from '../../workflows/train/options.ts';
import { trainText } from '../../report/run-report.ts';
import { type CommandSpec } from '../program.ts';

/** The options of all heads under one roof; which head takes which is checked when it is made. */
const HEAD_OPTIONS: OptionTable = Object.fromEntries(
  Object.entries(HEADS).flatMap(([, { options }]) =>
    Object.entries(options as OptionTable).map(([key, spec]) => {
      const takers = Object.entries(HEADS).filter(([, other]) => Object.hasOwn(other.options, key));
      // Defaults and choices may differ from head to head; they stand in the list below the flags.
      const { kind, accepts, check } = spec;
      return [key, { kind, accepts, check, describe: `for ${takers.map(([name]) => name).join(', ')}`, default: '' }];
    }),
  ),
);

function headsHelp(): string {
  const lines = Object.entries(HEADS).map(([name, { describe, options }]) => {
    const flags = Object.entries(options as OptionTable).map(
      ([key, { describe: what, accepts, default: fallback }]) =>
        `    ${flagOf(key)}  ${what} (${accepts}; default ${String(fallback)})`,
    );
    return [`  ${name}: ${describe}`, ...flags].join('\n');
  });
  return `Heads and their flags:\n${lines.join('\n')}`;
}

export const trainCommand: CommandSpec = {
  name: 'train',
  summary: 'train one head on stored features; no network runs',
  arguments: [['<store>', 'a store that extract or run made']],
  options: { ...TRAIN_OPTIONS, ...HEAD_OPTIONS },
  more: headsHelp(),
  async act([store], flags, context) {
    const { train } = await import('../../workflows/train/train.ts');
    const result = await train(store as string, pick(flags, TRAIN_OPTIONS), pick(flags, HEAD_OPTIONS), context);
    return { json: result, text: trainText(result) };
  },
};

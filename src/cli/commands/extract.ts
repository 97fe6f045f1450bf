import { type OptionTable, booleanOption, flagOf, pick } from '../../core/options.ts';
import { PermafrostError } from '../../core/errors.ts';
import { EXTRACT_OPTIONS } from '../../workflows/extract/options.ts';
import { QUEUED_OPTIONS } from '../../workflows/machines/queue/options.ts';
import { PART_OPTIONS } from '../../workflows/machines/options.ts';
import { extractText, traceText } from '../../report/extract-report.ts';
import { mergeText, partText } from '../../report/machines-report.ts';
import { filledText } from '../../report/queue-report.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import { type CommandContext, type CommandSpec, type Outcome } from '../program.ts';

/** A flag of the commands that extract; `--json` holds the trace in any case. */
export const TRACE_OPTIONS = { trace: booleanOption(false, 'tell where the time went, stage by stage') } as const;

type Flags = Parameters<CommandSpec['act']>[1];

const invalid = (message: string): PermafrostError => new PermafrostError('OPTION_INVALID', `extract: ${message}`);

/** The options of a table that were given; one that is on without being asked for counts where it is off. */
function givenOf(flags: Flags, table: OptionTable): string[] {
  const given = Object.entries(pick(flags, table));
  return given.filter(([key, value]) => value !== true || table[key]!.default !== true).map(([key]) => key);
}

/** The extraction of one part of a plan, which says all else. */
async function extractOfPlan(
  dataset: unknown,
  flags: Flags,
  context: CommandContext<'extract'>,
): Promise<Outcome<'extract'>> {
  if (dataset !== undefined)
    throw invalid(`a data set and --plan exclude each other: the plan says what is extracted.`);
  const { plan, ...given } = pick(flags, PART_OPTIONS);
  const decided = givenOf(flags, { ...EXTRACT_OPTIONS, ...TRACE_OPTIONS, ...QUEUED_OPTIONS })
    .filter((name) => !(name in PART_OPTIONS))
    .map(flagOf);
  if (decided.length > 0) throw invalid(`${decided.join(', ')} cannot be given with --plan: the plan has decided it.`);
  if (flags['takeOver'] === true)
    throw invalid('--take-over cannot be given with --plan: parts take no lock, they are written side by side.');
  if (given['part'] === undefined)
    throw invalid('--plan needs --part, as in --part 3/16, --part auto, or 1/1 for all.');
  const { extractPart } = await import('../../workflows/machines/part.ts');
  const result = await extractPart(plan as string, given, context);
  return { json: result, text: partText(result), failed: result.failures };
}

/** The extraction shared out on a queue. */
async function extractOnQueueOf(
  dataset: string,
  flags: Flags,
  context: CommandContext<'extract'>,
): Promise<Outcome<'extract'>> {
  const { backboneFile, verify, trace } = flags;
  const unfit = Object.keys(pick({ backboneFile, verify, trace }, { ...EXTRACT_OPTIONS, ...TRACE_OPTIONS })).map(
    flagOf,
  );
  if (unfit.length > 0) throw invalid(`${unfit.join(', ')} cannot be given with --queue: it is for one machine.`);
  const { extractOnQueue } = await import('../../workflows/machines/queue/extract-on-queue.ts');
  const { announce } = context;
  const { merged } = await extractOnQueue(dataset, pick(flags, { ...EXTRACT_OPTIONS, ...QUEUED_OPTIONS }), {
    ...context,
    onFilled: (filled) => announce({ event: 'filled', ...filled }, flags['wait'] === true ? '' : filledText(filled)),
    onProgress: (progress) => announce({ event: 'progress', ...progress }, ''),
  });
  if (merged === null) return { json: undefined, text: '' };
  return { json: { event: 'merged', ...merged }, text: mergeText(merged), failed: merged.failed.length };
}

export const extractCommand: CommandSpec = {
  name: 'extract',
  summary: 'run the frozen network once and keep the features',
  arguments: [['[dataset]', 'folder with Train/ and Val/, folder of class folders, .csv, .jsonl, .tar or .parquet']],
  options: { ...EXTRACT_OPTIONS, ...TRACE_OPTIONS, ...PART_OPTIONS, ...QUEUED_OPTIONS, ...TAKE_OVER_OPTIONS },
  isStream: ({ queue }) => queue !== undefined,
  async act([dataset], flags, context) {
    if (flags['plan'] !== undefined) return extractOfPlan(dataset, flags, context);
    const lonely = Object.keys(pick(flags, PART_OPTIONS))
      .filter((name) => !(name in EXTRACT_OPTIONS))
      .map(flagOf);
    if (lonely.length > 0) throw invalid(`${lonely.join(', ')} goes with --plan alone.`);
    const unqueued = Object.keys(pick(flags, QUEUED_OPTIONS)).map(flagOf);
    if (unqueued.length > 0 && flags['queue'] === undefined)
      throw invalid(`${unqueued.join(', ')} goes with --queue alone.`);
    if (dataset === undefined) throw invalid('a data set is missing, such as "permafrost extract DATASET".');
    if (flags['queue'] !== undefined) return extractOnQueueOf(dataset as string, flags, context);
    const { extract } = await import('../../workflows/extract/extract.ts');
    const result = await extract(dataset as string, pick(flags, EXTRACT_OPTIONS), context);
    return {
      json: result,
      text: extractText(result) + (flags['trace'] === true ? traceText(result.trace) : ''),
      failed: result.failed.length,
    };
  },
};

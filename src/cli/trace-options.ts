import { booleanOption } from '../core/options.ts';

/** A flag of the commands that extract; `--json` holds the trace in any case. */
export const TRACE_OPTIONS = {
  trace: booleanOption(false, 'tell where the time went, stage by stage'),
} as const;

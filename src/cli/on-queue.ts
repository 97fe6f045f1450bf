import { PermafrostError } from '../core/errors.ts';
import { flagOf } from '../core/options.ts';
import { ON_QUEUE_OPTIONS } from '../workflows/machines/queue/options.ts';
import { pick } from './program.ts';

type Flags = Readonly<Record<string, unknown>>;

/** Whether a command is asked to share its work out on a queue. */
export const isOnQueue = (flags: Flags): boolean => flags.queue !== undefined;

/** Refuses flags that mean something with `--queue` alone. Throws OPTION_INVALID. */
export function requireQueue(flags: Flags): void {
  const [first] = Object.keys(pick(flags, ON_QUEUE_OPTIONS));
  if (first !== undefined && !isOnQueue(flags))
    throw new PermafrostError('OPTION_INVALID', `${flagOf(first)} means something with --queue alone.`);
}

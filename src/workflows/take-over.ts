import { booleanOption } from '../core/options.ts';
import type { LockRequest } from '../store/write/lock.ts';
import type { Work } from './work.ts';

/** A flag of the commands that write to a store. */
export const TAKE_OVER_OPTIONS = {
  takeOver: booleanOption(
    false,
    'take over at once the lock of a process of another machine or container, which is gone for certain; one that lives here keeps its lock',
  ),
} as const;

/** How a workflow asks for the lock of a store: whose it takes over is told. */
export const lockRequest = ({ takeOver = false, listener }: Work): LockRequest => ({
  takeOver,
  note: (text) => listener?.note?.(text),
});

import { ownerInWords, stateOfOwner, type LockFile, type Owner } from '../format/lock/lock-file.ts';
import { ownIdentity } from '../format/lock/process-identity.ts';

/** When a lock counts. All times in milliseconds. */
export interface LockRules {
  /** From one sign of life to the next. */
  readonly beatMs: number;
  /** Older than this the last sign of life of a process is that of a dead one, where nothing else can be told of it. */
  readonly leftBehindMs: number;
}

/**
 * The sign of life comes from the thread that JavaScript runs on, which an inference, the compilation of a network or
 * a large manifest may hold: the largest batch (1,024 images) takes two minutes on two cores, and there are processors
 * of a fifth of their speed. So ten minutes; who knows better takes the lock over by hand.
 */
export const LOCK_RULES: LockRules = { beatMs: 10_000, leftBehindMs: 600_000 };

/** A lock without content is younger than this while an older version, or one on a disk without links, writes it. */
const UNNAMED_MS = 1000;

/** What a lock that is there means for who comes after it. */
export type Verdict =
  | { readonly kind: 'held'; readonly reason: string }
  /** Its maker is about to name itself. */
  | { readonly kind: 'unnamed' }
  /** `remark`: what the user should know. */
  | { readonly kind: 'left-behind'; readonly remark?: string };

const minutes = (ms: number): string =>
  ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} minutes`;

/**
 * Judges a lock at `now`, by the clock of the file system. One of a process that lives here is held whatever was asked
 * for; one of a process that is dead for certain is left behind; of others their sign of life decides, or `takeOver`.
 */
export function judgeLock(
  path: string,
  { owner, mtimeMs }: LockFile & { kind: 'lock' },
  now: number,
  { leftBehindMs }: LockRules,
  takeOver: boolean,
): Verdict {
  const age = now - mtimeMs;
  if (owner === null) return judgeUnnamed(path, age, leftBehindMs, takeOver);
  const state = stateOfOwner(owner);
  if (state === 'dead') return { kind: 'left-behind' };
  const who = ownerInWords(owner);
  if (state === 'alive')
    return { kind: 'held', reason: `${who}. Wait for it to end, or give another folder with --store.` };
  if (takeOver) return { kind: 'left-behind', remark: `The lock of ${who} is taken over, as --take-over asks.` };
  const isBeating = owner.beatMs !== undefined;
  if (isBeating && age > leftBehindMs)
    return {
      kind: 'left-behind',
      remark: `The lock of ${who} is taken over: the last sign of life of that process is ${minutes(age)} old.`,
    };
  return { kind: 'held', reason: `${who}${signOfLife(owner, age, leftBehindMs)}` };
}

function signOfLife({ host, beatMs }: Owner, age: number, leftBehindMs: number): string {
  const why = `Whether a process of another ${host === ownIdentity().host ? 'container' : 'machine'} lives cannot be seen from here`;
  const byHand = 'If it is gone for certain, run this command with --take-over.';
  return beatMs === undefined
    ? `. ${why}, and its version gives no sign of life. Wait for it to end. ${byHand}`
    : `; its last sign of life is ${minutes(Math.max(0, age))} old. ${why}: it counts as gone after ${minutes(leftBehindMs)} without one. Wait for it to end. ${byHand}`;
}

function judgeUnnamed(path: string, age: number, leftBehindMs: number, takeOver: boolean): Verdict {
  const what = `${path} names no writer: it is damaged`;
  if (takeOver) return { kind: 'left-behind', remark: `${what}. It is taken over, as --take-over asks.` };
  if (age > leftBehindMs) return { kind: 'left-behind', remark: `${what}, and ${minutes(age)} old. It is taken over.` };
  if (age < UNNAMED_MS) return { kind: 'unnamed' };
  return {
    kind: 'held',
    reason: `a writer that cannot be named: ${what}. After ${minutes(leftBehindMs)} it counts for nothing. If no other permafrost writes to this store, run this command with --take-over.`,
  };
}

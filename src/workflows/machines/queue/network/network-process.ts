import { fork, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { PermafrostError } from '../../../../core/errors.ts';
import type { Listener } from '../../../../core/listener.ts';
import { mutex } from '../../../../core/mutex.ts';
import type { UnitOutcome } from '../../unit-worker.ts';
import { PASSWORD_VARIABLE, USER_VARIABLE } from '../address.ts';
import type { NetworkNews, NetworkOrder, OpenedPlan } from './messages.ts';

export const NETWORK_ENTRY = new URL(`./network-entry${extname(import.meta.url)}`, import.meta.url);

/** How long the process may take to end what it is at when it is stopped, in milliseconds. */
const PATIENCE_MS = 5000;

/** The process ended by itself, or by a signal that was not ours: a picture or a runtime brought it down. */
export interface Crash {
  readonly kind: 'crash';
  /** An exit code, or the name of a signal. */
  readonly how: number | string;
}

export const isCrash = (answer: UnitOutcome | Crash): answer is Crash => 'kind' in answer;

export interface NetworkOptions {
  /** The module that the process runs. */
  readonly entry: URL;
  readonly plan: string;
  /** Where the images lie; empty: where the plan says. */
  readonly root: string;
  /** The file of the network; empty: where the plan says. */
  readonly weights: string;
  /** Of the network; 0: one per physical core. */
  readonly threads: number;
  readonly listener: Listener | undefined;
}

export interface Asking {
  /** Stops what is asked; the process is ended where it does not stop in time. */
  readonly signal: AbortSignal;
  readonly onImages?: (done: number, of: number) => void;
}

export interface AskedUnit {
  /** Images of the unit that become failures unseen, counted from 0 in it. */
  readonly crashed?: readonly number[];
  /** Only the images from and to (exclusive), and nothing is published: does the process live through it? */
  readonly only?: readonly [from: number, to: number];
}

/** The network in a process of its own. It does one thing at a time; after a crash it is gone. */
export interface NetworkProcess {
  readonly pid: number;
  readonly opened: OpenedPlan;
  /** Throws what the extraction of a unit throws, INTERRUPTED too. */
  extract(unit: number, request: AskedUnit, asking: Asking): Promise<UnitOutcome | Crash>;
  /** How many units are not published yet. */
  countMissing(asking: Asking): Promise<number | Crash>;
  isAlive(): boolean;
  end(): void;
}

type Answer = Extract<NetworkNews, { kind: 'open' | 'outcome' | 'missing' }>;

function thrown({ code, message, stack }: Extract<NetworkNews, { kind: 'failed' }>): Error {
  return code === null ? new Error(`The process of the network failed: ${stack}`) : new PermafrostError(code, message);
}

function ask(
  child: ChildProcess,
  order: NetworkOrder,
  { signal, onImages }: Asking,
  listener: Listener | undefined,
): Promise<Answer | Crash> {
  return new Promise((resolve, reject) => {
    let impatient: NodeJS.Timeout | undefined;
    const settle = (): void => {
      clearTimeout(impatient);
      signal.removeEventListener('abort', onAbort);
      child.off('message', onMessage).off('exit', onExit);
    };
    const onMessage = (message: unknown): void => {
      const news = message as NetworkNews;
      if (news.kind === 'note') return listener?.note?.(news.text);
      if (news.kind === 'images') return onImages?.(news.done, news.of);
      settle();
      if (news.kind === 'failed') reject(thrown(news));
      else resolve(news);
    };
    const onExit = (code: number | null, name: string | null): void => {
      settle();
      if (signal.aborted) reject(new PermafrostError('INTERRUPTED', 'Interrupted while the network was at work.'));
      else resolve({ kind: 'crash', how: name ?? code ?? 'no reason' });
    };
    const onAbort = (): void => {
      if (child.connected) child.send({ do: 'stop' } satisfies NetworkOrder);
      impatient = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    };
    // It may have ended while nobody asked.
    if (!isAlive(child)) return onExit(child.exitCode, child.signalCode);
    child.on('message', onMessage).on('exit', onExit);
    child.send(order);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}

const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

/** The answer, which must be of the kind that was asked for, or a crash. */
function expect<K extends Answer['kind']>(kind: K, answer: Answer | Crash): Extract<Answer, { kind: K }> | Crash {
  if (answer.kind !== kind && answer.kind !== 'crash')
    throw new Error(`The process of the network answers ${answer.kind}, asked for ${kind}.`);
  return answer as Extract<Answer, { kind: K }> | Crash;
}

/**
 * Starts the process and has it open the plan: the network is loaded, and what differs from the plan is an error before
 * any work. Throws what `openUnitWorker` throws, and ENGINE_FAILED where the process ends meanwhile.
 */
export async function startNetwork(options: NetworkOptions, signal: AbortSignal): Promise<NetworkProcess> {
  const { entry, plan, root, weights, threads, listener } = options;
  // Its stdout is nobody's: the worker's own is a stream of documents.
  const child = fork(entry, [String(process.pid)], {
    serialization: 'advanced',
    execArgv: [],
    // It has no business with the queue.
    env: { ...process.env, [USER_VARIABLE]: undefined, [PASSWORD_VARIABLE]: undefined },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.on('error', () => undefined); // an order that does not reach it: its end is told
  if (child.pid === undefined)
    throw new PermafrostError('ENGINE_FAILED', 'The system starts no process for the network: is its memory full?');
  const inTurn = mutex();
  const asked = (order: NetworkOrder, asking: Asking): Promise<Answer | Crash> =>
    inTurn(() => ask(child, order, asking, listener));
  const end = (): void => void child.kill('SIGKILL');
  try {
    const answer = expect('open', await asked({ do: 'open', plan, root, weights, threads }, { signal }));
    if (answer.kind === 'crash')
      throw new PermafrostError(
        'ENGINE_FAILED',
        `The process of the network ended with ${answer.how} before it had opened the plan.`,
      );
    return {
      pid: child.pid,
      opened: answer.opened,
      async extract(unit, { crashed = [], only: images = null }, asking) {
        const answered = expect('outcome', await asked({ do: 'extract', unit, crashed, only: images }, asking));
        return answered.kind === 'crash' ? answered : answered.outcome;
      },
      async countMissing(asking) {
        const answered = expect('missing', await asked({ do: 'count-missing' }, asking));
        return answered.kind === 'crash' ? answered : answered.units;
      },
      isAlive: () => isAlive(child),
      end,
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** Keeps one process of the network: a new one is started where the last one is gone. */
export function keepNetwork(options: NetworkOptions) {
  let kept: NetworkProcess | undefined;
  const inTurn = mutex();
  return {
    network: (signal: AbortSignal): Promise<NetworkProcess> =>
      inTurn(async () => {
        if (kept?.isAlive() !== true) kept = await startNetwork(options, signal);
        return kept;
      }),
    end: (): void => kept?.end(),
  };
}

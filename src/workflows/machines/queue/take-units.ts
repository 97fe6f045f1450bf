import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import type { WorkedUnit } from '../../../results/queue-result.ts';
import type { QueueAddress } from './address.ts';
import { connectionOf, type ConnectionNotes } from './connection.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { OpenedPlan } from './messages.ts';
import { isCrash, type NetworkProcess } from './network-process.ts';
import type { Job, QueuePackages } from './packages.ts';
import { serveUnit, type ServedUnit } from './serve-unit.ts';
import { queueName, unitOf, type UnitData } from './unit-queue.ts';

/** Times that a unit may be taken from a silent worker: the end of a spot machine is not its fault. */
const MOST_STALLED = 20;
/**
 * A worker that fails so many units one after the other ends: it would go through the whole queue. A crash that is
 * tried again counts less: an image may be at fault.
 */
const MOST_FAILED_IN_A_ROW = 3;
const MOST_CRASHED_IN_A_ROW = 9;

/** Milliseconds after which it is told that giving back a unit takes its time. */
const SLOW_MS = 6000;

export interface TakeOptions {
  readonly packages: QueuePackages;
  readonly address: QueueAddress;
  readonly opened: OpenedPlan;
  readonly leaseSeconds: number;
  readonly leaseCheckSeconds: number;
  /** The process of the network; a new one where the last is gone. */
  readonly network: (signal: AbortSignal) => Promise<NetworkProcess>;
  readonly notes: ConnectionNotes;
  readonly listener: Listener | undefined;
  readonly onUnit: (unit: WorkedUnit) => void;
}

/** Takes units while it is not stopped. */
export interface UnitTaker {
  /** Whether it is at a unit. */
  isBusy(): boolean;
  /** Settles when it has stopped. Throws what several units in a row failed with. */
  readonly over: Promise<void>;
  /** Gives back the unit that it is at, and takes no other. */
  readonly stop: () => void;
}

/**
 * Takes units from the queue one after the other, each under a lease that this process renews. A unit whose lease was
 * lost is stopped: another worker has it by then.
 */
export function takeUnits(options: TakeOptions): UnitTaker {
  const { address, opened, network, notes, listener, onUnit } = options;
  const { Worker, UnrecoverableError, WaitingError } = options.packages.bullmq;
  const stopping = new AbortController();
  let current: string | undefined;
  let failedInARow = 0;
  let crashedInARow = 0;
  let fatal: unknown;

  /** The unit that a job is. What is none is never tried again. */
  function readUnit(job: Job): number {
    try {
      return unitOf(job.data, opened.run, opened.units.length);
    } catch (error) {
      listener?.note?.(`The queue holds what is no unit of this plan: ${reasonOf(error)}. It is left alone.`);
      throw new UnrecoverableError(reasonOf(error));
    }
  }

  function onFailure(unit: number, error: unknown, isCrashed: boolean, seconds: number): void {
    const reason = reasonOf(error);
    listener?.note?.(`Unit ${unit} failed: ${reason}`);
    onUnit({ unit, outcome: 'failed', images: 0, failures: 0, seconds, reason });
    if (isCrashed) crashedInARow++;
    else failedInARow++;
    if (failedInARow < MOST_FAILED_IN_A_ROW && crashedInARow < MOST_CRASHED_IN_A_ROW) return;
    fatal = error;
    stop();
  }

  async function take(job: Job<UnitData, ServedUnit>, token?: string, lost?: AbortSignal): Promise<ServedUnit> {
    const unit = readUnit(job);
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    const signal = AbortSignal.any([stopping.signal, ...(lost === undefined ? [] : [lost])]);
    const heartbeat = startHeartbeat(job, notes.failed);
    let isCrashed = false;
    current = job.id;
    try {
      const outcome = await serveUnit(
        unit,
        {
          network: () => network(signal),
          images: opened.units[unit]!,
          isLastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
          listener,
        },
        { signal, onImages: heartbeat.images },
      );
      isCrashed = isCrash(outcome);
      if (isCrash(outcome))
        throw new PermafrostError('ENGINE_FAILED', `The process of the network ended with ${outcome.how}.`);
      [failedInARow, crashedInARow] = [0, 0];
      onUnit({ ...outcome, reason: null });
      return outcome;
    } catch (error) {
      if (lost?.aborted) listener?.note?.(`Unit ${unit} was stopped: its lease was lost, so another worker has it.`);
      else if (stopping.signal.aborted) {
        await job.moveToWait(token);
        throw new WaitingError();
      } else onFailure(unit, error, isCrashed, seconds());
      throw error;
    } finally {
      heartbeat.stop();
      current = undefined;
    }
  }

  const lease = new Worker<UnitData, ServedUnit>(queueName(opened.run), take, {
    connection: connectionOf(address),
    prefix: address.prefix,
    autorun: false,
    concurrency: 1,
    lockDuration: options.leaseSeconds * 1000,
    stalledInterval: options.leaseCheckSeconds * 1000,
    maxStalledCount: MOST_STALLED,
    runRetryDelay: 1000,
  });
  lease.on('error', notes.failed);
  for (const event of ['active', 'completed', 'locksRenewed'] as const) lease.on(event, notes.answered);
  lease.on('lockRenewalFailed', (ids) => {
    for (const id of ids) if (id === current) lease.cancelJob(id, 'the lease was lost');
  });

  let closed: Promise<void> | undefined;
  let slow: NodeJS.Timeout | undefined;
  function stop(): void {
    if (closed !== undefined) return;
    // Closed first: a unit that is given back must not be taken again here.
    closed = lease.close();
    slow = setTimeout(() => {
      listener?.note?.(
        `Waiting for ${address.shown} to take the unit back. Where this is ended at once, it goes back when its lease ends.`,
      );
    }, SLOW_MS);
    stopping.abort();
  }

  const over = (async () => {
    await lease.run();
    await closed;
    clearTimeout(slow);
    if (fatal !== undefined)
      throw new PermafrostError(
        fatal instanceof PermafrostError ? fatal.code : 'ENGINE_FAILED',
        `This worker ends, as ${failedInARow + crashedInARow} units in a row failed here. The last: ${reasonOf(fatal)}`,
        { cause: fatal },
      );
  })();
  return { isBusy: () => current !== undefined, over, stop };
}

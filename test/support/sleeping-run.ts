import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { WorkerResult } from '../../src/results/queue-result.ts';

/** A plan whose units sleep: what sleeping-network.mjs reads. */
export interface SleepingPlan {
  readonly run: string;
  readonly units: number;
  /** Of each unit. */
  readonly images: number;
  readonly imageMs: number;
  readonly blockMs?: number;
  readonly deadly?: readonly (readonly [unit: number, image: number])[];
  readonly failing?: readonly number[];
}

/** A line of what the networks of a run did. */
export interface SleepingEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly pid: number;
  /** Of the worker. */
  readonly parent: number;
  readonly what: 'start' | 'try' | 'made' | 'there' | 'lost-race' | 'tried';
  readonly unit: number;
  readonly crashed?: readonly number[];
  readonly only?: readonly [number, number];
}

/** Writes the plan into `folder`, which then stands for it. */
export function sleepingPlan(folder: string, plan: SleepingPlan): string {
  writeFileSync(join(folder, 'sleeping.json'), JSON.stringify(plan));
  // A folder without a plan is one that was merged.
  writeFileSync(join(folder, 'plan.json'), '');
  return folder;
}

/** What happened in a run, in order. */
export function eventsOf(plan: string): SleepingEvent[] {
  const file = join(plan, 'log.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as SleepingEvent);
}

/** Units that are not published. */
export const missingOf = (plan: string, units: number): number[] =>
  Array.from({ length: units }, (_, unit) => unit).filter(
    (unit) => !existsSync(join(plan, `u-${String(unit).padStart(5, '0')}`)),
  );

const WORKER = fileURLToPath(new URL('./queue-worker.mjs', import.meta.url));
const NETWORK = new URL('./sleeping-network.mjs', import.meta.url).href;

/** A worker in a process of its own, as a command would be; its network is a child of that. */
export interface SleepingWorker {
  readonly process: ChildProcess;
  /** What it said on stderr. */
  notes(): string;
  /** What came out of it: a result, or an error's code and message. Undefined where it was killed. */
  readonly ended: Promise<(WorkerResult & { readonly code?: string; readonly message?: string }) | undefined>;
}

/** Starts a worker. `options`: those of `worker`. */
export function startWorker(
  url: string,
  options: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string>>,
): SleepingWorker {
  const child = spawn(process.execPath, [WORKER, url, JSON.stringify(options), NETWORK], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(() => (stdout === '' ? undefined : (JSON.parse(stdout) as WorkerResult)));
  return { process: child, notes: () => stderr, ended };
}

/** Waits until something is found. Throws after `withinMs`. */
export async function until<T>(find: () => T | undefined | false, withinMs = 20_000): Promise<T> {
  for (const deadline = performance.now() + withinMs; ; await sleep(10)) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`It did not happen within ${withinMs} ms: ${String(find)}`);
  }
}

/** Whether a process is there. A zombie of this process is not. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { verify as VerifyCommand } from '../../src/workflows/care/verify.ts';
import { built } from '../support/built.ts';
import { permafrost, type Finished } from '../support/command.ts';
import { filesOf } from '../support/stores.ts';
import type { Scenario } from './scenarios.ts';
import type { Call, Shim } from './shim.ts';

const { verify } = await built<{ readonly verify: typeof VerifyCommand }>('workflows/care/verify.js');

/** How a call may go wrong (faults.c). */
export const WAYS = ['kill', 'torn', 'ENOSPC', 'EIO', 'EIO+', 'EROFS+', 'EACCES', 'half-ENOSPC', 'short'] as const;
export type Way = (typeof WAYS)[number];

/** A run of which something is to be said. */
export interface Finding {
  readonly what: string;
  readonly scenario: string;
  readonly way: Way;
  readonly call: Call;
  readonly details: string;
}

/**
 * What legitimately differs from run to run: times, what is remembered only to spare work, and the lock of a process
 * that could not remove it, which the next writer takes over.
 */
const VARIES = [
  /^writer\.lock/,
  /^file-times/,
  /^sketches/,
  /\.jsonl$/,
  /^failures\.csv$/,
  /^results\.json$/,
  /^report\.html$/,
  /^sweeps\//,
];

export const contentOf = (store: string): Record<string, string> =>
  Object.fromEntries(Object.entries(filesOf(store)).filter(([name]) => !VARIES.some((one) => one.test(name))));

/** Names of files that only one of two stores has, or that have other bytes. */
export function differences(a: Record<string, string>, b: Record<string, string>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).sort();
}

const isWhole = (store: string): boolean => existsSync(join(store, 'manifest.json'));

/** A program that ended as programs should: with words. */
export const STACK = /\[INTERNAL\]|\n\s+at |Unhandled|Segmentation|FATAL ERROR/;

/** Runs a scenario once undisturbed, and then again with one call after the other going wrong. */
export async function everyCall(shim: Shim, folder: string, scenario: Scenario) {
  const store = join(folder, 'store');
  const fresh = (): void => {
    rmSync(store, { recursive: true, force: true });
    if (scenario.base !== undefined) cpSync(scenario.base, store, { recursive: true });
  };
  const run = (env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    permafrost([...scenario.args(store), '--quiet'], { env: { ...scenario.env, ...env } });
  mkdirSync(folder, { recursive: true });
  fresh();
  const watched = shim.watched(store);
  const first = await run(watched.env);
  if (first.code !== 0) throw new Error(`${scenario.name} ended with ${first.code}: ${first.stderr}`);
  const expected = contentOf(store);
  const all = watched.calls();
  // The first write to a file stands for all of them, and the last one of a long row.
  const calls = all.filter(
    ({ name, path }, i) =>
      name !== 'write' || all[i - 1]?.path !== path || all[i - 1]?.name !== 'write' || all[i + 1]?.path !== path,
  );

  /** What is wrong with how the program behaves when this call goes wrong; nothing where all is well. */
  async function findings(call: Call, way: Way): Promise<Finding[]> {
    const found: Finding[] = [];
    const add = (what: string, details: string): void =>
      void found.push({ what, scenario: scenario.name, way, call, details });
    fresh();
    const disturbed = await run(shim.at(store, call.n, way));
    if (STACK.test(disturbed.stderr)) add('no error in words', disturbed.stderr.slice(-600));
    if (way !== 'kill' && way !== 'torn' && disturbed.code === null) add('no exit code', disturbed.stderr.slice(-300));
    if (isWhole(store) && scenario.isDamaged === undefined) {
      const { damaged } = await verify(store);
      if (damaged.length > 0) add('damaged', damaged.map(({ name, problem }) => `${name}: ${problem}`).join('; '));
    }
    const again = await run();
    if (again.code !== 0) {
      add('not resumed', `${again.code}: ${again.stderr.slice(-400)}`);
      return found;
    }
    const { ok, orphans } = await verify(store);
    if (!ok || orphans.length > 0) add('not whole afterwards', orphans.join(', '));
    const others = differences(contentOf(store), expected);
    if (others.length > 0) add('other bytes', others.join(', '));
    return found;
  }
  return { calls, findings };
}

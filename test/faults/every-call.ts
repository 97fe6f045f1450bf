import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { verify as VerifyCommand } from '../../src/workflows/care/verify.ts';
import { built } from '../support/built.ts';
import { permafrost, type Finished } from '../support/command.ts';
import type { Scenario } from './scenarios.ts';
import type { Call, Shim } from './shim.ts';
import { contentOf, differences, isStore, isUnfinishedName, stateOf, type Content } from './state.ts';
import { isHarmless, kills, type Way } from './ways.ts';

const { verify } = await built<{ readonly verify: typeof VerifyCommand }>('workflows/care/verify.js');

/** What is wrong after one disturbed run. */
export interface Finding {
  readonly what: string;
  readonly details: string;
}

/** One disturbed run: the call, how it went wrong, and how long it all took, in milliseconds. */
export interface Tried {
  readonly scenario: string;
  readonly call: Call;
  readonly way: Way;
  readonly ms: number;
  /** Whether a run before it had left the same, so that what comes of that was known. */
  readonly wasKnown: boolean;
  readonly findings: readonly Finding[];
}

/** A program that ended as no program should. */
const STACK = /\[INTERNAL\]|\n\s+at |Unhandled|Segmentation|FATAL ERROR/;
/** Longer than any of these programs takes: it hangs. */
const HANGS_MS = 300_000;

/** Runs a scenario's program to its end; one that hangs is ended. */
async function runProgram(
  scenario: Scenario,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Finished> {
  if (scenario.script === undefined)
    return permafrost([...scenario.args(folder), '--quiet'], { env, during: endHanging });
  const child = spawn(process.execPath, [scenario.script, ...scenario.args(folder)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  endHanging(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

function endHanging(child: ReturnType<typeof spawn>): void {
  const timer = setTimeout(() => child.kill('SIGABRT'), HANGS_MS);
  child.once('exit', () => clearTimeout(timer));
}

/** The calls of a run that are tried: of a long row of writes to one file the first and the last. */
const worthTrying = (calls: readonly Call[]): Call[] =>
  calls.filter(
    ({ name, path }, i) =>
      name !== 'write' ||
      calls[i - 1]?.path !== path ||
      calls[i - 1]?.name !== 'write' ||
      calls[i + 1]?.path !== path ||
      calls[i + 1]?.name !== 'write',
  );

/** Runs a scenario once undisturbed; then it can be run again with any of its calls going wrong. */
export async function everyCall(shim: Shim, folder: string, scenario: Scenario) {
  const target = join(folder, 'target');
  const fresh = (): void => {
    rmSync(target, { recursive: true, force: true });
    if (scenario.base !== undefined) cpSync(scenario.base, target, { recursive: true });
  };
  mkdirSync(folder, { recursive: true });
  fresh();
  const watched = shim.watched(target);
  const within = scenario.within === undefined ? {} : { FAULT_IN: scenario.within };
  const first = await runProgram(scenario, target, { ...watched.env, ...within });
  if (first.code !== 0) throw new Error(`${scenario.name} ended with ${first.code}: ${first.stderr}`);
  const expected = contentOf(target);
  const lostAtFirst = (await scenario.lost?.(target, first.stdout)) ?? [];
  if (lostAtFirst.length > 0) throw new Error(`${scenario.name}: ${lostAtFirst.join('; ')}`);
  const calls = worthTrying(watched.calls());
  if (calls.length === 0) throw new Error(`${scenario.name} changed nothing that was seen`);

  /** What comes of what a run left; the same for all runs that left the same. */
  const known = new Map<string, Promise<readonly Finding[]>>();

  async function afterwards(stdout: string): Promise<readonly Finding[]> {
    const found: Finding[] = [];
    const add = (what: string, details: readonly string[]): void => {
      if (details.length > 0) found.push({ what, details: details.join('; ').slice(0, 1000) });
    };
    const damagedNow = async (): Promise<string[]> =>
      isStore(target) ? (await verify(target)).damaged.map(({ name, problem }) => `${name}: ${problem}`) : [];
    if (scenario.isDamaged === undefined) add('damaged', await damagedNow());
    add('acknowledged and lost', (await scenario.lost?.(target, stdout)) ?? []);
    const again =
      scenario.mend === undefined
        ? await runProgram(scenario, target, {})
        : await permafrost([...scenario.mend(target), '--quiet']);
    if (again.code !== 0) {
      add('not resumed', [`${again.code}: ${again.stderr.slice(-400)}`]);
      return found;
    }
    if (isStore(target)) {
      const { ok, damaged, missing, orphans } = await verify(target);
      if (!ok)
        add(
          'not whole afterwards',
          [...damaged, ...missing].map((one) => JSON.stringify(one)),
        );
      add('left over afterwards', orphans);
    }
    const after = contentOf(target);
    add('unfinished files afterwards', Object.keys(after).filter(isUnfinishedName));
    if (scenario.mend === undefined) add('other bytes', differences(after, expected));
    add('acknowledged and lost afterwards', (await scenario.lost?.(target, stdout)) ?? []);
    return found;
  }

  /** Runs it with one call going wrong, and what is to put that right. */
  async function tried(call: Call, way: Way): Promise<Tried> {
    const started = performance.now();
    const findings: Finding[] = [];
    const add = (what: string, details: string): void => void findings.push({ what, details });
    fresh();
    const disturbed = await runProgram(scenario, target, { ...shim.at(target, call.n, way), ...within });
    const { code, stderr, stdout } = disturbed;
    if (STACK.test(stderr)) add('no error in words', stderr.slice(-600));
    if (!kills(way) && code === null) add('no exit code', stderr.slice(-300));
    if (isHarmless(way) && code !== 0) add('not finished', `${code}: ${stderr.slice(-400)}`);
    if (code === 0 && scenario.mend === undefined) {
      const whole = wholeFiles(contentOf(target));
      const others = differences(whole, expected);
      if (others.length > 0) add('said 0, other bytes', others.join(', '));
    }
    const state = `${stateOf(target)} ${scenario.lost === undefined ? '' : stdout}`;
    const before = known.get(state);
    const after = before ?? afterwards(stdout);
    known.set(state, after);
    findings.push(...(await after));
    return {
      scenario: scenario.name,
      call,
      way,
      ms: performance.now() - started,
      wasKnown: before !== undefined,
      findings,
    };
  }
  return { calls, tried };
}

const wholeFiles = (content: Content): Content =>
  Object.fromEntries(Object.entries(content).filter(([name]) => !isUnfinishedName(name)));

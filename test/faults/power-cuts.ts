import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { verify as VerifyCommand } from '../../src/workflows/care/verify.ts';
import { built } from '../support/built.ts';
import { permafrost, type Finished } from '../support/command.ts';
import { STACK } from './every-call.ts';
import type { PowerDisk } from './power-disk.ts';
import type { Scenario } from './scenarios.ts';
import type { Call, Shim } from './shim.ts';
import { contentOf, differences } from './state.ts';

const { verify } = await built<{ readonly verify: typeof VerifyCommand }>('workflows/care/verify.js');

/** Runs a scenario on a disk once undisturbed, and then again with power cuts. */
export async function powerCuts(shim: Shim, disk: PowerDisk, scenario: Scenario) {
  const store = join(disk.path, 'store');
  const fresh = (): void => {
    rmSync(store, { recursive: true, force: true });
    if (scenario.base !== undefined) cpSync(scenario.base, store, { recursive: true });
    disk.sync();
  };
  const run = (env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    permafrost([...scenario.args(store), '--quiet'], { env: { ...scenario.env, ...env } });
  fresh();
  const watched = shim.watched(store);
  const first = await run(watched.env);
  if (first.code !== 0) throw new Error(`${scenario.name} ended with ${first.code}: ${first.stderr}`);
  const expected = contentOf(store);
  const calls = watched.calls();

  /**
   * What is wrong after the power was cut at the call, or where there is none just after the command said that it was
   * done; nothing where all is well.
   */
  async function findings(call: Call | undefined): Promise<string[]> {
    const found: string[] = [];
    const add = (what: string, details: string): void =>
      void found.push(
        `${scenario.name}, cut at ${call ? `${call.n} ${call.name} ${call.path}` : 'the end'}: ${what}: ${details}`,
      );
    fresh();
    const disturbed = await run(call && shim.at(store, call.n, 'kill'));
    disk.cut();
    await disk.restart();
    const isThere = existsSync(join(store, 'manifest.json'));
    if (call === undefined) {
      if (disturbed.code !== 0) add('failed', disturbed.stderr);
      // What was removed may be there again: then it is left over.
      const lost = differences(isThere ? contentOf(store) : {}, expected).filter((name) => name in expected);
      if (lost.length > 0) add('acknowledged and lost', lost.join(', '));
    }
    if (isThere && (scenario.isDamaged === undefined || call === undefined)) {
      const { damaged } = await verify(store);
      if (damaged.length > 0) add('damaged', damaged.map(({ name, problem }) => `${name}: ${problem}`).join('; '));
    }
    const again = await run();
    if (STACK.test(again.stderr)) add('no error in words', again.stderr.slice(-600));
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

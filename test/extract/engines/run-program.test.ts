import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ProgramError, runProgram } from '../../../src/extract/engines/run-program.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';

const makeFolder = temporaryFolders();
const node = (script: string, options = {}): Promise<string> => runProgram(process.execPath, ['-e', script], options);

describe('running a program', () => {
  it('gives its standard output, in the folder and environment asked for', async () => {
    const cwd = makeFolder();
    const script = 'console.error("noise"); console.log(process.cwd(), process.env.WORD)';
    expect(await node(script, { cwd, env: { ...process.env, WORD: 'yes' } })).toBe(`${cwd} yes\n`);
  });

  it('rejects with the end of what it printed, to either stream, where it fails', async () => {
    const failed = node('console.log("x".repeat(9999)); console.error("the reason"); process.exitCode = 3');
    await expect(failed).rejects.toBeInstanceOf(ProgramError);
    await expect(failed).rejects.toMatchObject({ missing: false });
    await expect(failed).rejects.toThrow(/the reason$/);
    expect(((await failed.catch((error: unknown) => error)) as Error).message.length).toBeLessThan(1000);
  });

  it('tells a program that is not there from one that fails', async () => {
    await expect(runProgram('no-such-program-anywhere', [])).rejects.toMatchObject({ missing: true });
  });

  it('rejects with INTERRUPTED when aborted, and ends what the program had started too', async () => {
    const file = join(makeFolder(), 'late');
    const late = `setTimeout(() => require('fs').writeFileSync(${JSON.stringify(file)}, ''), 1500)`;
    const parent = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(late)}]); setTimeout(() => {}, 9000)`;
    const controller = new AbortController();
    const running = node(parent, { signal: controller.signal });
    setTimeout(() => controller.abort(), 500);
    await rejection(running, 'INTERRUPTED');
    await sleep(2000);
    expect(existsSync(file)).toBe(false);
    await rejection(node('', { signal: controller.signal }), 'INTERRUPTED');
  });
});

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { DoctorResult } from '../../src/results/engine-results.ts';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { document, permafrost } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'permafrost-usage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An --import script whose hook writes every resolved specifier to stderr. */
function importLog(): string {
  const hook = join(folder, 'hook.mjs');
  writeFileSync(
    hook,
    `import { writeSync } from 'node:fs';
export async function resolve(specifier, context, next) { writeSync(2, 'IMPORT ' + specifier + '\\n'); return next(specifier, context); }`,
  );
  const register = join(folder, 'register.mjs');
  writeFileSync(
    register,
    `import { register } from 'node:module'; register(${JSON.stringify(pathToFileURL(hook).href)});`,
  );
  return pathToFileURL(register).href;
}

describe('the built program', () => {
  it.skipIf(process.platform === 'win32')('may be executed, so that npx finds a program and not a text', () => {
    const program = new URL('../../dist/cli/main.js', import.meta.url);
    expect(statSync(program).mode & 0o111).toBe(0o111);
  });
});

describe('help', () => {
  it('lists every command and exits with 0', async () => {
    const { code, stdout, stderr } = await permafrost(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it.each(COMMANDS.map(({ name }) => name))('of %s names its flags and exits with 0', async (name) => {
    const { code, stdout } = await permafrost([name, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--json');
  });

  it('loads no native or heavy package', async () => {
    const { stderr } = await permafrost(['--help'], { node: ['--import', importLog()] });
    const imports = [...stderr.matchAll(/^IMPORT (.*)$/gm)].map(([, specifier]) => specifier!);
    expect(imports).toContain('commander'); // the log works
    const heavy = /^(sharp|onnxruntime-node|koffi|apache-arrow|hnswlib-node|protobufjs|h5wasm|zod|ml-)/;
    expect(imports.filter((specifier) => heavy.test(specifier))).toEqual([]);
  });
});

describe('flags', () => {
  it('that turn something off say so', async () => {
    const { stdout } = await permafrost(['run', '--help']);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /--no-report do not write report\.html.*--no-horizontal-flip do not mirror a view/,
    );
  });

  it('are never taken for the negation of another', () => {
    const clashes = COMMANDS.flatMap(({ name, options }) =>
      Object.keys(options)
        .filter((option) => /^no[A-Z]/.test(option))
        .map((option) => `${name} --${option}`),
    );
    expect(clashes).toEqual([]);
  });

  it('of run stand in groups', async () => {
    const { stdout } = await permafrost(['run', '--help']);
    expect([...stdout.matchAll(/^(\w.*):$/gm)].map(([, heading]) => heading)).toEqual([
      'Arguments',
      'Options',
      'Network',
      'Augmented views',
      'Every command',
    ]);
  });
});

describe('engines', () => {
  it('lists where no action is given', async () => {
    const listed = document(await permafrost(['engines', 'list', '--json']));
    expect(document(await permafrost(['engines', '--json']))).toEqual(listed);
  });
});

describe('wrong usage', () => {
  it('without a command prints the help to stderr and exits with 2', async () => {
    const { code, stdout, stderr } = await permafrost([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: permafrost');
    expect(stderr).toMatch(/\npermafrost: a command is missing.*\[OPTION_INVALID\]\n$/);
    expect(document(await permafrost(['--json']))).toMatchObject({ error: { code: 'OPTION_INVALID' } });
  });

  it.each([
    [['trian', 'x'], 'there is no command "trian" (did you mean "train"?)'],
    [['version'], 'did you mean "--version"?'],
    [['completion'], 'Shells are not given completions.'],
    [['extract', 'x', '--contrct', 'keras'], '--contract'],
    [['extract', 'x', '--contract', 'kears'], '(did you mean "keras"?)'],
    [['train', 'x', '--head', 'logistc'], '(did you mean "logistic"?)'],
    [['train', 'x', '--head', 'svm'], '(did you mean "linear-svm"?)'],
    [['train', 'x', '--c', '10'], 'unknown option "--c" (did you mean "--C"?)'],
    [['train', 'x', '--C', 'ten'], '--C takes a number, got "ten"'],
    [['train', '--json', 'x', '--C'], '--C takes a number, got "--json"'],
    [['studio', 'x', '--port', 'abc'], 'studio: --port takes a number, got "abc"'],
    [['extract', 'x', '--batch', 'many'], 'number'],
    [['extract', 'x', '--batch', '0'], '>= 1'],
    [['extract'], 'a data set is missing'],
    [['run'], "missing required argument 'dataset' (folder with Train/ and Val/"],
    [['check', 'S', '--foo'], 'check: unknown option "--foo". See "permafrost check --help".'],
    [['check', 'S', 'T'], 'too many arguments'],
    [['engines', 'install', 'openvino'], '(did you mean "add"?)'],
    [['engines', 'lits'], '(did you mean "list"?)'],
    [['predict', 'x', 'https://example.com/cat.jpg'], 'https://example.com/cat.jpg is an address'],
    [['neighbors', 'x', 'file:///cat.jpg'], 'addresses are not read'],
  ])('%j exits with 2 and says %j, on stderr and as JSON', async (args, hint) => {
    const finished = await permafrost([...args, '--json']);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(/^permafrost: .*\[OPTION_INVALID\]\n$/);
    expect(finished.stderr).toContain(hint);
    const { error } = document<{ error: { code: string; message: string } }>(finished);
    expect(error.code).toBe('OPTION_INVALID');
    expect(finished.stderr).toBe(`permafrost: ${error.message} [OPTION_INVALID]\n`);
  });

  it('leaves stdout empty without --json', async () => {
    const { code, stdout, stderr } = await permafrost(['check', 'S', '--foo']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^permafrost: check: unknown option "--foo"\..*\[OPTION_INVALID\]\n$/);
  });

  it('takes no flag for another that is merely as short', async () => {
    expect((await permafrost(['run', 'x', '--foo'])).stderr).not.toContain('did you mean');
  });

  it('says that a folder for the answer does not exist, before any work', async () => {
    const { code, stderr } = await permafrost(['report', folder, '--out', join(folder, 'nowhere/page.html')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/page\.html cannot be written: the folder .*nowhere does not exist\..*\[STORE_WRITE\]\n$/);
  });

  it('names a path that does not exist, what was expected, and exits with 1', async () => {
    const { code, stderr } = await permafrost(['run', join(folder, 'nowhere')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/nowhere.*Expected Train\/.*\[DATASET_NOT_FOUND\]/s);
  });

  it('hands no argument to the terminal that it would obey', async () => {
    const { stderr } = await permafrost(['inspect', join(folder, '\u001b[2Jnowhere')]);
    expect(stderr).toContain('\\u001b[2Jnowhere');
    expect(stderr).not.toContain('\u001b');
    expect((await permafrost(['\u001b[2J'])).stderr).not.toContain('\u001b');
  });

  it('gives the error as the one JSON document with --json', async () => {
    const finished = await permafrost(['inspect', folder, '--json']);
    expect(finished.code).toBe(1);
    expect(document(finished)).toMatchObject({ error: { code: 'STORE_NOT_FOUND' } });
  });

  it('refuses a store folder that holds something else and leaves it alone', async () => {
    const { code, stderr } = await permafrost(['extract', folder, '--store', folder]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/DATASET_EMPTY|STORE_WRITE/);
  });
});

describe('doctor', () => {
  it('tells what is installed and what would be used, as text and as JSON', async () => {
    const text = await permafrost(['doctor']);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/onnxruntime-node +\d+\.\d+\.\d+ +yes/);
    const json = document<DoctorResult>(await permafrost(['doctor', '--json']));
    expect(json.weights).toMatchObject({ ok: true, problem: null });
    expect(text.stdout).toMatch(/^onnxruntime +cpu +fp32 +1\.0 x +(usable|chosen by auto) \(/m);
    expect(text.stdout).toMatch(/^openvino +cpu +bf16 /m);
    expect(json.engine).toMatchObject({ device: 'cpu', why: expect.stringMatching(/\w/) as string });
    expect(json.engines.filter(({ chosen }) => chosen)).toHaveLength(1);
    expect(json.packages).toContainEqual(expect.objectContaining({ name: 'sharp', works: true }));
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HEADS, HEAD_NAMES } from '../src/classify/heads/index.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';
import type { OptionTable } from '../src/core/options.ts';
import * as permafrost from '../src/index.ts';
import { EXTRACT_OPTIONS } from '../src/workflows/extract/options.ts';
import { openInEditor } from './support/editor.ts';
import { temporaryFolders } from './support/folders.ts';

const folder = temporaryFolders();

describe('the library', () => {
  it('has every command as a function of its name', () => {
    const functions = Object.entries(permafrost).filter(([, value]) => typeof value === 'function');
    // A word that no function may be called by: there is one for each target.
    const names = COMMANDS.flatMap(({ name }) =>
      name === 'export' ? ['exportOnnx', 'exportWeb', 'exportTable'] : name,
    );
    expect(functions.map(([name]) => name)).toEqual(expect.arrayContaining(names));
  });

  it('fits on one screen', () => {
    const lines = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8').split('\n');
    expect(lines.length).toBeLessThanOrEqual(100);
  });
});

describe('an editor', () => {
  const { errors, hover, completions, completion } = openInEditor(`
    import { createHead, extract, studio, sweep, train } from 'permafrost';
    import { fitLinear } from 'permafrost/solvers';
    const logistic = createHead('logistic', { C: 10, tol: 1e-6 });
    const network = createHead('mlp', { /* of mlp */ });
    const { store } = await extract('flowers', { contract: 'keras', dtype: 'float16' });
    await extract('birds', { /* of extract */ });
    await train(store, { pooling: 'avg' });
    await sweep(store, { folds: 3 });
    await studio(store, { port: 8080 });
    void [logistic, network, fitLinear];
  `);

  it('takes a program that uses the package by its name', () => {
    expect(errors()).toEqual([]);
  });

  it('takes the programs of README.md', () => {
    const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const programs = [...text.matchAll(/(?<=```ts\n)[^]*?(?=```)/g)].map(([program]) => program);
    const results = ['label, probability, unknown', 'probabilities'];
    expect(programs.map((program, i) => openInEditor(`${program}\nvoid [${results[i]}];`).errors())).toEqual([[], []]);
  });

  it('says what an option means, which values it takes and what it is by default', () => {
    expect(hover('C: 10')).toBe(
      'Inverse strength of the L2 penalty; smaller is stronger (a number > 0).\n@defaultValue 1',
    );
    expect(hover("dtype: 'float16'")).toBe(
      'Number type of the stored maps (pooled features are float32 always) (float16 | float32).\n@defaultValue "float16"',
    );
    for (const option of ['tol: 1e-6', "dtype: 'float16'", "pooling: 'avg'", 'folds: 3', 'port: 8080'])
      expect(hover(option)).toMatch(/^[^\n]+\)\.\n@defaultValue /);
  });

  it('completes the options of the head that is named, and of a command, each with its text', () => {
    expect(completions('/* of mlp').sort()).toEqual(Object.keys(HEADS.mlp.options).sort());
    expect(completions('/* of extract').sort()).toEqual(Object.keys(EXTRACT_OPTIONS).sort());
    const tables: OptionTable[] = [EXTRACT_OPTIONS, HEADS.mlp.options];
    for (const [i, table] of tables.entries())
      for (const [name, { describe: text }] of Object.entries(table))
        expect(completion(['/* of extract', '/* of mlp'][i]!, name).toLowerCase()).toContain(text.toLowerCase());
  });

  it('completes the names of the heads', () => {
    expect(completions("logistic', {")).toEqual(expect.arrayContaining(HEAD_NAMES));
  });

  it('says what a function does', () => {
    expect(hover("extract('flowers'")).toMatch(/^Brings the features of a data set into its store/);
  });
});

describe('an option that a head does not have', () => {
  it('is an error in the editor, as is an unknown head or value', () => {
    const { errors } = openInEditor(`
      import { createHead } from 'permafrost';
      createHead('logistic', { nNeighbors: 3 });
      createHead('logistic', { classWeight: 'balance' });
      createHead('logistik');
    `);
    expect(errors()).toEqual([
      expect.stringContaining("'nNeighbors' does not exist"),
      expect.stringContaining('"balance"'),
      expect.stringContaining('"logistik"'),
    ]);
  });
});

describe('the pages of the library', () => {
  it('are written without a warning, and no link in them is broken', () => {
    const pages = folder();
    execFileSync(process.execPath, ['node_modules/typedoc/bin/typedoc', '--out', pages]);
    const files = (readdirSync(pages, { recursive: true }) as string[]).filter((name) => name.endsWith('.html'));
    expect(files.length).toBeGreaterThan(100);
    const broken = files.flatMap((file) =>
      [...readFileSync(join(pages, file), 'utf8').matchAll(/(?:href|src)="([^"#?]+)/g)]
        .map(([, link]) => link!)
        .filter((link) => !/^(https?|data):/.test(link) && !existsSync(resolve(pages, file, '..', link)))
        .map((link) => `${file}: ${link}`),
    );
    expect(broken).toEqual([]);
  });
});

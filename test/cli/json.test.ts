import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { checkedDocuments } from '../support/json-documents.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = temporaryFolders();
const root = new URL('../../', import.meta.url);

const printed = (value: object): string => JSON.stringify(value);
const GC = { store: 's', dryRun: true, droppedRows: 0, droppedSets: 0, removedFiles: 0, removedBytes: 0 };

describe('the schemas', () => {
  it('are those of the types: npm run docs:schema changes nothing', async () => {
    await promisify(execFile)(process.execPath, ['scripts/json-schemas.mjs', '--check'], { cwd: root });
  }, 300_000);

  it('are one a command, and one of errors', () => {
    const names = COMMANDS.map(({ name }) => `${name}.json`);
    expect(readdirSync(new URL('docs/schema', root)).sort()).toEqual([...names, 'error.json'].sort());
  });

  it('refuse a document that lacks a field, has one of another type, or one that no type tells of', () => {
    const schema = 'permafrost/gc/1';
    expect(checkedDocuments('gc', printed({ schema, ...GC }))).toHaveLength(1);
    const { store, ...storeless } = GC;
    expect(() => checkedDocuments('gc', printed({ schema, ...storeless }))).toThrow(`"missingProperty":"store"`);
    expect(() => checkedDocuments('gc', printed({ schema, ...GC, droppedRows: store }))).toThrow('must be number');
    expect(() => checkedDocuments('gc', printed({ schema, ...GC, more: 1 }))).toThrow('"additionalProperty":"more"');
    expect(() => checkedDocuments('gc', printed(GC))).toThrow('says schema undefined');
    expect(() => checkedDocuments('run', printed({ schema, ...GC }))).toThrow('of run says schema "permafrost/gc/1"');
    expect(() => checkedDocuments('gc', printed({ schema: 'permafrost/gc/2', ...GC }))).toThrow('constant');
  });

  it('say what fields mean', () => {
    const { properties } = JSON.parse(readFileSync(new URL('docs/schema/train.json', root), 'utf8')) as {
      properties: Record<string, { description?: string }>;
    };
    expect(properties['interval']?.description).toContain('95 % Wilson interval');
  });
});

describe('--json', () => {
  // What permafrost() gets is checked; the commands of which no other test reads a document stand here.
  it('of the commands that look after a store and of those that list networks keeps to the schemas', async () => {
    const dataset = await stripedDataset(join(folder(), 'Stripes'), 4, 3);
    const store = join(folder(), 'store');
    const engine = ['--engine', 'onnxruntime', '--backbone', 'efficientnet-lite0'];
    const made = await permafrost(['extract', dataset, '--store', store, ...engine, '--json', '--quiet']);
    expect(document(made)).toMatchObject({ schema: 'permafrost/extract/1', extracted: 14 });
    for (const args of [
      ['check', store],
      ['repair', store],
      ['gc', store, '--dry-run'],
      ['migrate', store],
      ['plan', dataset, '--store', `${store}-shared`, '--parts', '2', ...engine],
      ['parts', `${store}-shared`],
      ['backbone', 'efficientnet-lite0'],
      ['backbones'],
    ]) {
      const finished = await permafrost([...args, '--json', '--quiet']);
      expect(finished.stdout, args.join(' ')).toContain(`"schema": "permafrost/${args[0]}/1"`);
    }
  }, 300_000);

  it('gives what went wrong as one line, which a reader of a stream can take as well', async () => {
    const finished = await permafrost(['worker', 'redis://127.0.0.1/0', '--json', '--foo']);
    expect(finished.code).toBe(2);
    expect(finished.stdout).toMatch(/^\{"schema":"permafrost\/error\/1","error":\{"code":"OPTION_INVALID",.*\}\}\n$/);
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { relabelled, scanDataset, type Dataset } from '../../../src/extract/dataset/dataset.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';

const folder = temporaryFolders();
const listed = (name: string, text: string): string => join(writeTree(folder(), { [name]: text }), name);
const scan = (name: string, text: string): Promise<Dataset> => scanDataset(listed(name, text));
const refused = async (name: string, text: string): Promise<string> =>
  (await rejection(scan(name, text), 'DATASET_LAYOUT')).message;
const rows = ({ samples }: Dataset): string[] => samples.map(({ path, label, split }) => `${path} ${label} ${split}`);
/** What is told beside the list's own path. */
const told = ({ warnings }: Dataset): string[] => warnings.map((warning) => warning.replace(/^.*?list\.\w+: /, ''));

describe('the separator of a list', () => {
  it.each([
    ['semicolons', 'list.csv', 'path;label\na.jpg;1,5\nb.jpg;"2;5"\n', ['a.jpg 1,5 train', 'b.jpg 2;5 train']],
    ['tabs', 'list.csv', 'path\tlabel\na.jpg\tant, red\n', ['a.jpg ant, red train']],
    ['tabs in a .tsv', 'list.tsv', 'path\tlabel\na.jpg\tant; red\n', ['a.jpg ant; red train']],
    ['bars', 'list.csv', 'path|label\na.jpg|ant\n', ['a.jpg ant train']],
    ["Excel's first line", 'list.csv', 'sep=;\r\npath;label\r\na.jpg;ant\r\n', ['a.jpg ant train']],
    ['quoted names', 'list.csv', '"path";"label"\n"a;b.jpg";"ant"\n', ['a;b.jpg ant train']],
    ['commas, though a label has semicolons', 'list.csv', 'path,label\na.jpg,"b;c;d"\n', ['a.jpg b;c;d train']],
    ['lines of separators at the end', 'list.csv', 'path,label\na.jpg,ant\n,\n,\n', ['a.jpg ant train']],
  ])('is recognised: %s', async (_what, name, text, expected) => {
    const found = await scan(name, text);
    expect(rows(found)).toEqual(expected);
    expect(found.warnings).toEqual([]);
  });
});

describe('the column of splits', () => {
  it.each(['set', 'Subset', 'PHASE', 'fold', 'usage', ' partition '])(
    'may be called %s where all its values are splits, which is told',
    async (name) => {
      const found = await scan('list.csv', `path,label,${name}\na.jpg,ant,TRAIN\nb.jpg,ant,Validation\n`);
      expect(rows(found)).toEqual(['a.jpg ant train', 'b.jpg ant val']);
      expect(told(found)).toEqual([`the column ${name.trim().toLowerCase()} gives the splits.`]);
    },
  );

  it.each([
    ['Validation', 'val', []],
    ['valid', 'val', []],
    ['TEST', 'test', []],
    [' test ', 'test', []],
    ['dev', 'val', ['the column split gives the splits: dev as val.']],
    ['eval', 'val', ['the column split gives the splits: eval as val.']],
    ['test_set', 'test', ['the column split gives the splits: test_set as test.']],
  ])('may say %s for %s', async (name, split, warnings) => {
    const found = await scan('list.csv', `path,label,split\na.jpg,ant,train\nb.jpg,ant,${name}\n`);
    expect(rows(found)).toEqual(['a.jpg ant train', `b.jpg ant ${split}`]);
    expect(told(found)).toEqual(warnings);
  });

  it('is ignored where a value is no split, which is told with its line', async () => {
    const fold = await scan('list.csv', 'path,label,fold\na.jpg,ant,1\nb.jpg,ant,2\n');
    expect(rows(fold)).toEqual(['a.jpg ant train', 'b.jpg ant train']);
    expect(told(fold)).toEqual(['the column fold is ignored: "1" (line 2) is no split (train, val or test).']);
    const subset = await scan('list.csv', 'path,label,subset\na.jpg,ant,train\nb.jpg,ant,extra\n');
    expect(told(subset)).toEqual(['the column subset is ignored: "extra" (line 3) is no split (train, val or test).']);
  });

  it('is split where there are two, and an empty split gives way', async () => {
    const both = await scan('list.csv', 'path,label,set,split\na.jpg,ant,test,train\nb.jpg,ant,train,val\n');
    expect(rows(both)).toEqual(['a.jpg ant train', 'b.jpg ant val']);
    expect(told(both)).toEqual(['the columns split and set both hold splits; split counts.']);
    const empty = await scan('list.csv', 'path,label,split,set\na.jpg,ant,,train\nb.jpg,ant,,test\n');
    expect(rows(empty)).toEqual(['a.jpg ant train', 'b.jpg ant test']);
  });

  it('of another name is told, as it would be trained on', async () => {
    const found = await scan('list.csv', 'path,label,mode\na.jpg,ant,train\nb.jpg,ant,test\n');
    expect(rows(found)).toEqual(['a.jpg ant train', 'b.jpg ant train']);
    expect(told(found)).toEqual([
      'the column mode is ignored, but it holds train, test. If these are the splits, call it split.',
    ]);
  });

  it('is none in JSON lines where it is null, in all of them', async () => {
    const found = await scan('list.jsonl', '{"path":"a.jpg","label":"x","split":null}\n{"path":"b.jpg","label":"x"}\n');
    expect(found).toMatchObject({ hasSplits: false, warnings: [] });
    const text = '{"path":"a.jpg","label":"x"}\n{"path":"b.jpg","label":"x","set":"train"}\n';
    expect(await refused('list.jsonl', text)).toMatch(/gives a split for 1 of 2 images/);
  });
});

describe('the other columns of a list', () => {
  it('are told once, by name', async () => {
    const found = await scan('list.csv', ',path,label,width\n0,a.jpg,ant,3\n1,b.jpg,bee,4\n');
    expect(told(found)).toEqual(['columns that are not used: (one without a name), width.']);
    const json = await scan('list.jsonl', '{"path":"a.jpg","label":"x","box":[1,2]}\n{"path":"b.jpg","label":"x"}\n');
    expect(told(json)).toEqual(['columns that are not used: box.']);
  });

  it.each([
    ['list.csv', 'path,label, Label \na.jpg,ant,bee\n', /line 1: The column label stands twice/],
    ['list.csv', 'path,label,w,w\na.jpg,ant,1,2\n', /line 1: The column w stands twice/],
    ['list.csv', 'sep=;\npath;label;path\na.jpg;ant;b.jpg\n', /line 2: The column path stands twice/],
    ['list.jsonl', '{"path":"a.jpg","Label":"x","label":"y"}', /line 1: The column label stands twice/],
    ['list.jsonl', '{"path":"a.jpg","label":"x","label":"y"}', /line 1: The column label stands twice/],
  ])('are refused where one stands twice: %s %j', async (name, text, expected) => {
    expect(await refused(name, text)).toMatch(expected);
  });

  it.each([
    ['image_id,dx\na,mel\n', /No path \(found the fields image_id, dx\)\. If image_id is it, call that column path\./],
    [
      'path,class\na.jpg,x\n',
      /No label for a\.jpg \(found the fields path, class\)\. If class is it, call that column label/,
    ],
    ['filename;label\na.jpg;x\n', /found the fields filename, label\)\. If filename is it, call that column path\./],
    ['a.jpg;ant\nb.jpg;bee\n', /found the fields a\.jpg, ant\)\. The first line of a CSV names its columns\./],
  ])('are named where one of them may be meant: %j', async (text, expected) => {
    expect(await refused('list.csv', text)).toMatch(expected);
  });
});

describe('the labels of a list', () => {
  it('are trimmed and of one Unicode form; where that makes one of several, it is told', async () => {
    const text = 'path,label\na.jpg,cat\nb.jpg,cat \nc.jpg, cat\nd.jpg,cat\u00a0\ne.jpg,caf\u00e9\nf.jpg,cafe\u0301\n';
    const found = await scan('list.csv', text);
    expect(new Set(found.samples.map(({ label }) => label))).toEqual(new Set(['cat', 'caf\u00e9']));
    expect(told(found)).toEqual([
      'Spellings that differ by blanks at the ends or Unicode form only are one class: "<U+0020>cat" = "cat" = "cat<U+0020>" = "cat<U+00A0>", "cafe<U+0301>" = "caf\u00e9".',
    ]);
  });

  it('that differ by case or inner blanks are classes of their own, and told', async () => {
    const found = await scan('list.csv', 'path,label\na.jpg,New York\nb.jpg,new york\nc.jpg,New\u00a0York\n');
    expect(new Set(found.samples.map(({ label }) => label)).size).toBe(3);
    expect(told(found)).toEqual([expect.stringContaining('"New<U+00A0>York"')]);
  });

  it('may be quoted behind a blank, as people write it', async () => {
    const found = await scan('list.csv', 'path, label, split\na.jpg, "bee, small", train\n"b.jpg" , ant, train\n');
    expect(found.samples).toEqual([
      { path: 'a.jpg', label: 'bee, small', split: 'train' },
      { path: 'b.jpg', label: 'ant', split: 'train' },
    ]);
  });

  it.each(['', ' ', '\u00a0', ' \u200b '])('are missing where they are blank: %j', async (label) => {
    expect(await refused('list.csv', `path,label\na.jpg,ant\nb.jpg,${label}\n`)).toMatch(
      /line 3: No label for b\.jpg\./,
    );
  });

  it('may be numbers in JSON lines', async () => {
    const found = await scan('list.jsonl', '{"path":"a.jpg","label":3}\n{"path":"b.jpg","label":1.5}\n');
    expect(rows(found)).toEqual(['a.jpg 3 train', 'b.jpg 1.5 train']);
  });

  it('that lost a character before are told', async () => {
    expect(told(await scan('list.csv', 'path,label\na.jpg,M\ufffdller\n'))).toEqual([
      expect.stringContaining('labels with U+FFFD'),
    ]);
  });
});

describe.skipIf(process.platform === 'win32')('the paths of a list', () => {
  const paths = async (files: readonly string[], ...written: string[]): Promise<Dataset> => {
    const root = writeTree(folder(), Object.fromEntries(files.map((name) => [name, ''])));
    const text = written.map((path, i) => `${JSON.stringify({ path, label: `class ${i}` })}\n`).join('');
    writeTree(root, { 'list.jsonl': text });
    return scanDataset(join(root, 'list.jsonl'));
  };

  it("are read with slashes where Windows' backslashes name no file, which is told", async () => {
    const found = await paths(['in/a.jpg', 'in/b.jpg'], 'in\\a.jpg', '.\\in\\b.jpg', 'in\\gone.jpg');
    expect(found.samples.map(({ path }) => path)).toEqual(['in/a.jpg', 'in/b.jpg', 'in/gone.jpg']);
    expect(told(found)).toEqual([
      "3 paths are written with Windows' backslashes (in\\a.jpg, .\\in\\b.jpg and 1 more) and are read with slashes.",
    ]);
  });

  it('keep a backslash, blanks and a Unicode form that the file has', async () => {
    const names = ['x\\y.jpg', ' lead.jpg', 'cafe\u0301.jpg'];
    const found = await paths(names, ...names);
    expect(found.samples.map(({ path }) => path).sort()).toEqual([...names].sort());
    expect(found.warnings).toEqual([]);
  });

  it('are found in the other Unicode form and without blanks at their ends', async () => {
    const found = await paths(['cafe\u0301.jpg', 'a.jpg'], 'caf\u00e9.jpg', ' a.jpg\u00a0');
    expect(found.samples.map(({ path }) => path)).toEqual(['a.jpg', 'cafe\u0301.jpg']);
  });

  it('are files, no addresses', async () => {
    const text = 'path,label\na.jpg,x\nhttps://example.org/b.jpg,y\n';
    expect(await refused('list.csv', text)).toContain('line 3: https://example.org/b.jpg is an address');
  });

  it('are told twice where two spellings are one file', async () => {
    const text = '{"path":"in/a.jpg","label":"x"}\n{"path":"in\\\\a.jpg","label":"y"}\n';
    expect(await refused('list.jsonl', text)).toContain('line 2: in\\a.jpg stands in line 1 already.');
  });

  it('may be written in all these ways to give other labels to a data set', async () => {
    const root = writeTree(folder(), { 'cat/a.jpg': '', 'caf\u00e9/b.jpg': '' });
    const file = listed('labels.csv', 'path;label\ncat\\a.jpg;dog\ncafe\u0301\\b.jpg;dog\n');
    const found = await relabelled(await scanDataset(root), file);
    expect(rows(found)).toEqual(['caf\u00e9/b.jpg dog train', 'cat/a.jpg dog train']);
  });
});

import { describe, expect, it } from 'vitest';
import { textFields, textTable } from '../../src/report/text-table.ts';

const COLUMNS = [{ title: 'image' }, { title: 'n', align: 'right' }, { title: 'is' }] as const;

describe('a text table', () => {
  it('aligns names to the left and numbers to the right, without spaces at the ends of lines', () => {
    const text = textTable(COLUMNS, [
      ['a.jpg', '7', 'ant'],
      ['a longer name.jpg', '1234', ''],
    ]);
    expect(text).toBe(
      [
        'image                 n  is',
        '-----------------  ----  ---',
        'a.jpg                 7  ant',
        'a longer name.jpg  1234',
        '',
      ].join('\n'),
    );
  });

  it('without rows is its header', () => {
    expect(textTable(COLUMNS, [])).toBe('image  n  is\n-----  -  --\n');
  });

  it('keeps its lines and columns whatever the names hold', () => {
    const text = textTable(COLUMNS, [
      ['two\nlines.jpg', '1', '\u001b[31mred'],
      ['日本.jpg', '22', '한국'],
      ['🐻.jpg', '333', 'e\u0301t'],
      ['plain.jpg', '4', 'x'],
    ]);
    expect(text).toBe(
      [
        'image             n  is',
        '--------------  ---  -------------',
        'two\\nlines.jpg    1  \\u001b[31mred',
        '日本.jpg         22  한국',
        '🐻.jpg          333  e\u0301t',
        'plain.jpg         4  x',
        '',
      ].join('\n'),
    );
  });
});

describe('text fields', () => {
  it('align their values and stay on one line each', () => {
    const text = textFields([
      ['store', '/tmp/a\nb'],
      ['data set', ''],
      ['x', '\u001b[2J'],
    ]);
    expect(text).toBe('store     /tmp/a\\nb\ndata set  \nx         \\u001b[2J\n');
  });

  it('of nothing are nothing', () => {
    expect(textFields([])).toBe('');
  });
});

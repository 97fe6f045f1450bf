import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, printable, printableLines } from '../../src/report/printable.ts';

describe('a printable text', () => {
  it.each([
    ['Train/ants/0013035.jpg', 'Train/ants/0013035.jpg'],
    ['it\'s "quoted" \\ ünïcode 日本 🐻 é ❤️', 'it\'s "quoted" \\ ünïcode 日本 🐻 é ❤️'],
    ['two\nlines\r\tand a tab', 'two\\nlines\\r\\tand a tab'],
    ['\u001b[31mred\u001b[0m\u001b]0;title\u0007', '\\u001b[31mred\\u001b[0m\\u001b]0;title\\u0007'],
    ['\u009b2J\u007f\0', '\\u009b2J\\u007f\\u0000'], // C1 controls: CSI in one character
    ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['photo\u202egpj.exe', 'photo\\u202egpj.exe'], // would be read as photoexe.jpg
    ['half of a pair \ud83d', 'half of a pair \\ud83d'],
  ])('shows %j as %j', (text, shown) => expect(printable(text)).toBe(shown));

  it('is one line without controls, whatever is put in, and stays as it is when done again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = printable(text);
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
        expect(printable(shown)).toBe(shown);
      }),
    );
  });

  it('may have lines where lines are meant', () => {
    expect(printableLines('one\n\u001b[2Jtwo\n')).toBe('one\n\\u001b[2Jtwo\n');
  });
});

describe('the width of a text', () => {
  it.each([
    ['', 0],
    ['ants', 4],
    ['Ünïcode', 7],
    ['e\u0301', 1],
    ['日本', 4],
    ['ｱ', 1],
    ['ア', 2],
    ['한국', 4],
    ['🐻', 2],
    ['👩‍🌾', 2],
    ['❤️', 2],
    ['\u200b', 0],
  ])('%j takes %d columns', (text, width) => expect(displayWidth(text)).toBe(width));
});

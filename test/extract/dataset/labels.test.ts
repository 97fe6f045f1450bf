import { describe, expect, it } from 'vitest';
import { labelOf, lookalikes, spellings } from '../../../src/extract/dataset/labels.ts';

describe('a label', () => {
  it.each([
    [' cat ', 'cat'],
    ['cat\u00a0', 'cat'],
    ['\u3000cat\u200b', 'cat'],
    ['cafe\u0301', 'caf\u00e9'],
    ['\u00a0 \u200b', ''],
    ['New York', 'New York'],
  ])('is %j trimmed, in one Unicode form: %j', (raw, label) => {
    expect(labelOf(raw)).toBe(label);
  });

  it('keeps an emoji that ends in marks without width', () => {
    const england = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}';
    expect(labelOf(england)).toBe(england);
  });
});

describe('labels that look the same', () => {
  it.each([
    ['case', ['Cat', 'cat'], '"Cat" and "cat"'],
    ['a no-break space', ['New York', 'New\u00a0York'], '"New York" and "New<U+00A0>York"'],
    ['a mark without width', ['ant', 'a\u200bnt'], '"ant" and "a<U+200B>nt"'],
    ['a ligature', ['fish', '\ufb01sh'], '"fish" and "<U+FB01>sh"'],
    ['two blanks', ['red  ant', 'red ant'], '"red  ant" and "red ant"'],
    ['a hyphen', ['red-ant', 'red_ant', 'red ant'], '"red ant" and "red-ant" and "red_ant"'],
  ])('by %s are shown so that they can be told apart', (_what, labels, shown) => {
    expect(
      lookalikes([...labels, 'dog'])[0]!
        .split(' and ')
        .sort(),
    ).toEqual(shown.split(' and ').sort());
  });

  it('are none where the letters differ', () => {
    expect(lookalikes(['resume', 'r\u00e9sum\u00e9', 'ab', 'a b', '1', '01', 'dog'])).toEqual([]);
  });
});

describe('spellings of one label', () => {
  it('are counted, and told where there are several', () => {
    const { label, warnings } = spellings();
    expect([' cat', 'cat', 'cat ', 'dog ', 'dog '].map(label)).toEqual(['cat', 'cat', 'cat', 'dog', 'dog']);
    expect(warnings()).toEqual([expect.stringContaining('"<U+0020>cat" = "cat" = "cat<U+0020>".')]);
  });

  it('show where a text is not composed, in every script', () => {
    const { label, warnings } = spellings();
    for (const raw of ['\uac1c', '\u1100\u1162', 'm\u00e8o', 'me\u0300o']) label(raw);
    expect(warnings()[0]).toContain('"<U+1100><U+1162>" = "\uac1c", "me<U+0300>o" = "m\u00e8o".');
  });

  it('need no word where all are the same', () => {
    const { label, warnings } = spellings();
    for (const raw of [' cat', ' cat', ' dog']) label(raw);
    expect(warnings()).toEqual([]);
  });
});

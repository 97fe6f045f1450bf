import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readListText } from '../../../src/extract/dataset/list-text.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';

const folder = temporaryFolders();
const read = (bytes: Uint8Array): Promise<string> =>
  readListText(join(writeTree(folder(), { 'list.csv': bytes }), 'list.csv'));
const TEXT = 'path,label\r\na.jpg,Müller 🐜\r\n';

describe('the text of a list', () => {
  it.each([
    ['UTF-8', Buffer.from(TEXT)],
    ['UTF-8 with its mark', Buffer.from(`\ufeff${TEXT}`)],
    ['UTF-16, the low byte first', Buffer.from(`\ufeff${TEXT}`, 'utf16le')],
    ['UTF-16, the high byte first', Buffer.from(`\ufeff${TEXT}`, 'utf16le').swap16()],
  ])('is read from %s', async (_what, bytes) => {
    expect(await read(bytes)).toBe(TEXT);
  });

  it.each([
    ['Windows-1252', Buffer.from(TEXT.replace(' 🐜', ''), 'latin1'), /line 2: the byte 0xFC at offset 19 is no UTF-8/],
    ['a character that is cut off', Buffer.from('a\nb\nc\xc3', 'latin1'), /line 3: the byte 0xC3 at offset 5/],
    ['a character of three bytes with a bad last one', Buffer.from('ab\xe2\x82z', 'latin1'), /0xE2 at offset 2/],
    ['a lone continuation byte', Buffer.from('ab\x82z', 'latin1'), /line 1: the byte 0x82 at offset 2/],
    ['the first of several', Buffer.from('\xfcb\xfc', 'latin1'), /the byte 0xFC at offset 0/],
    ['UTF-16 without its mark', Buffer.from(TEXT, 'utf16le').subarray(0, 20), /line 1: a NUL character.*UTF-16/],
    ['UTF-16 of an odd length', Buffer.from('\ufeffab', 'utf16le').subarray(0, 5), /an odd number of bytes \(5\)/],
    ['half a character of UTF-16', Buffer.from('\ufeffa\n\ud83d!', 'utf16le'), /line 2: the bytes at offset 6/],
    ['UTF-32', Buffer.from('fffe000061000000', 'hex'), /UTF-32 by its mark/],
  ])('is refused for %s, with the place', async (_what, bytes, expected) => {
    const { message } = await rejection(read(bytes), 'DATASET_LAYOUT');
    expect(message).toMatch(expected);
    expect(message).toContain('list.csv');
    expect(message).toContain('UTF-8');
  });

  it('keeps U+FFFD that stands there in earnest', async () => {
    expect(await read(Buffer.from('a\ufffdb'))).toBe('a\ufffdb');
  });
});

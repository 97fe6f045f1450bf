import { describe, expect, it } from 'vitest';
import { whatIsWrong } from '../../../src/extract/image/what-is-wrong.ts';

const reasonOf = (message: string, timeoutMs?: number): string => whatIsWrong(new Error(message), timeoutMs).message;

describe('what is wrong with an image', () => {
  it('is the line of libvips that says it, wherever it stands', () => {
    const seeks = Array.from({ length: 11 }, (_, i) => `source: bad seek to ${i * 100}`).join('\n');
    expect(reasonOf(`${seeks}\nheif: Unsupported codec (4.3000)\n`)).toBe('heif: Unsupported codec (4.3000)');
  });

  it('is told once, whatever the numbers in it', () => {
    expect(reasonOf('strip 1: bad data\nstrip 2: bad data\ntiff: too short')).toBe(
      'strip 1: bad data; tiff: too short',
    );
  });

  it('is told once, also where a line repeats the end of another', () => {
    expect(reasonOf('corrupt header: image: bad format\nimage: bad format')).toBe('corrupt header: image: bad format');
  });

  it('is noise where there is nothing else', () => {
    expect(reasonOf('source: bad seek to 5')).toBe('source: bad seek to 5');
  });

  it.each(['Unknown error', 'Input buffer has corrupt header: '])(
    'is damage without details where sharp says "%s"',
    (message) => {
      expect(reasonOf(message)).toBe('It is damaged; libvips gives no details.');
    },
  );

  it('is the time where sharp was stopped', () => {
    expect(reasonOf('timeout: 36% complete\nVipsImage: killed for image "temp-10"', 8000)).toMatch(/longer than 8 s/);
  });

  it('is the format where the bytes are of none', () => {
    expect(reasonOf('Input buffer contains unsupported image format')).toMatch(/^The bytes are no JPEG, .* HEIC/);
  });
});

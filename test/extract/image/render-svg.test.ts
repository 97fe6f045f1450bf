import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { renderSvg } from '../../../src/extract/image/render-svg.ts';

const red =
  '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="4" height="8" fill="#f00"/></svg>';

describe('renderSvg', () => {
  test('draws at the size that the SVG states, in RGB, on white paper', async () => {
    const image = sharp(await renderSvg(red));
    expect(await image.metadata()).toMatchObject({ format: 'png', width: 8, height: 8, channels: 3 });
    const pixels = await image.raw().toBuffer();
    expect([...pixels.subarray(9, 15)]).toEqual([255, 0, 0, 255, 255, 255]);
  });

  test('gives the same bytes each time', async () => {
    expect(await renderSvg(red)).toEqual(await renderSvg(red));
  });

  test('rejects text that is no SVG', async () => {
    await expect(renderSvg('<p>not a picture</p>')).rejects.toThrow(/unsupported image format/i);
  });
});

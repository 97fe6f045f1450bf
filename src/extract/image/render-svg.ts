import { loadSharp } from './sharp.ts';

/**
 * Draws an SVG on white paper: the bytes of an RGB PNG of its own width and height, the same bytes each time.
 * Throws PACKAGE_MISSING without sharp, and the renderer's own error for text that is no SVG.
 */
export async function renderSvg(svg: string): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(Buffer.from(svg)).flatten({ background: '#ffffff' }).png({ compressionLevel: 6 }).toBuffer();
}

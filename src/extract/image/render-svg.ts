import { loadSharp } from './sharp.ts';

/** An SVG on white paper as an RGB PNG of its own size, always the same bytes. Throws as sharp and loadSharp do. */
export async function renderSvg(svg: string): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(Buffer.from(svg)).flatten({ background: '#ffffff' }).png({ compressionLevel: 6 }).toBuffer();
}

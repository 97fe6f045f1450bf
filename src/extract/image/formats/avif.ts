import { av1Colours } from './av1-range.ts';
import type { Special } from './special.ts';

/** A box of ISO/IEC 14496-12: its type and its content. */
interface Box {
  readonly type: string;
  readonly content: Buffer;
}

/** The boxes in `bytes`, as far as they are whole. */
function boxes(bytes: Buffer): Box[] {
  const found: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const short = bytes.readUInt32BE(at);
    const isLong = short === 1 && at + 16 <= bytes.length;
    const length = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? bytes.length - at : short;
    const head = isLong ? 16 : 8;
    if (length < head || at + length > bytes.length) break;
    found.push({ type: bytes.toString('latin1', at + 4, at + 8), content: bytes.subarray(at + head, at + length) });
    at += length;
  }
  return found;
}

const contentOf = (list: readonly Box[], type: string): Buffer | undefined =>
  list.find((box) => box.type === type)?.content;

/** The numbers, from 1, of the properties of an item (ISO/IEC 23008-12, 9.3.1: box ipma). */
function associations(ipma: Buffer, item: number): number[] {
  const [version, isWide] = [ipma[0]!, (ipma[3]! & 1) === 1];
  const found: number[] = [];
  let at = 8;
  for (let left = ipma.readUInt32BE(4); left > 0; left--) {
    const id = version < 1 ? ipma.readUInt16BE(at) : ipma.readUInt32BE(at);
    at += version < 1 ? 2 : 4;
    for (let more = ipma[at++]!; more > 0; more--, at += isWide ? 2 : 1) {
      if (id === item) found.push(isWide ? ipma.readUInt16BE(at) & 0x7fff : ipma[at]! & 0x7f);
    }
  }
  return found;
}

/** The properties of the picture itself, not of its alpha or thumbnail; of a grid, whose tiles have theirs, all. */
function propertiesOf(meta: Buffer): readonly Box[] {
  const inMeta = boxes(meta.subarray(4));
  const [pitm, iprp] = [contentOf(inMeta, 'pitm'), contentOf(inMeta, 'iprp')];
  if (pitm === undefined || iprp === undefined) return [];
  const inIprp = boxes(iprp);
  const properties = boxes(contentOf(inIprp, 'ipco') ?? Buffer.alloc(0));
  const primary = pitm[0] === 0 ? pitm.readUInt16BE(4) : pitm.readUInt32BE(4);
  const own = inIprp
    .filter(({ type }) => type === 'ipma')
    .flatMap(({ content }) => associations(content, primary))
    .flatMap((number) => properties[number - 1] ?? []);
  return own.some(({ type }) => type === 'av1C') ? own : properties;
}

/** Whether codes run from 0 to 255 by the box colr (nclx); undefined where it does not say. */
function rangeOf(properties: readonly Box[]): boolean | undefined {
  const nclx = properties.find(
    ({ type, content }) => type === 'colr' && content.toString('latin1', 0, 4) === 'nclx' && content.length >= 11,
  );
  return nclx && (nclx.content[10]! & 0x80) !== 0;
}

/** What is special about an AVIF: grey of limited range. Undefined for other bytes, and damaged ones. */
export function avifSpecial(bytes: Uint8Array): Special | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.toString('latin1', 4, 8) !== 'ftyp') return undefined;
  try {
    const top = boxes(buffer);
    const meta = contentOf(top, 'meta');
    if (meta === undefined) return undefined;
    const properties = propertiesOf(meta);
    const config = contentOf(properties, 'av1C');
    // av1C (AV1-ISOBMFF, 2.3.3): the flag "monochrome", and from the fifth byte on the sequence header.
    if (config === undefined || (config[2]! & 0x10) === 0) return undefined;
    const header = config.length > 4 ? config.subarray(4) : contentOf(top, 'mdat');
    const isFull = rangeOf(properties) ?? (header && av1Colours(header))?.isFullRange;
    return isFull === false ? { samples: { kind: 'limited-grey' } } : undefined;
  } catch {
    return undefined; // A RangeError: boxes that point outside of the file, which the library will refuse.
  }
}

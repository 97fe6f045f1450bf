/** Exif 2.32, section 4.6.4: the tag Orientation, one SHORT. */
const [ORIENTATION, SHORT] = [0x0112, 3];

/** The orientation in an EXIF block (a TIFF header and its directory), 1 by default; undefined for a complex one. */
export function exifOrientation(exif: DataView): number | undefined {
  if (exif.byteLength < 14) return undefined;
  const order = exif.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const little = order === 0x4949;
  const start = exif.getUint32(4, little);
  if (exif.getUint16(2, little) !== 42 || start < 8 || start + 2 > exif.byteLength) return undefined;
  const entries = exif.getUint16(start, little);
  if (start + 2 + entries * 12 > exif.byteLength) return undefined;
  let found: number | undefined;
  for (let at = start + 2; at < start + 2 + entries * 12; at += 12) {
    if (exif.getUint16(at, little) !== ORIENTATION) continue;
    const isPlain = exif.getUint16(at + 2, little) === SHORT && exif.getUint32(at + 4, little) === 1;
    if (!isPlain || found !== undefined) return undefined;
    found = exif.getUint16(at + 8, little);
  }
  return found !== undefined && found >= 1 && found <= 8 ? found : 1;
}

/** The orientation that an XMP packet names, as Pillow finds it; undefined where it names none of 1 to 8. */
export function xmpOrientation(xmp: Uint8Array | undefined): number | undefined {
  if (xmp === undefined) return undefined;
  const text = Buffer.from(xmp.buffer, xmp.byteOffset, xmp.byteLength).toString('latin1');
  const found = Number(/tiff:Orientation(?:="|>)([1-8])/.exec(text)?.[1]);
  return Number.isNaN(found) ? undefined : found;
}

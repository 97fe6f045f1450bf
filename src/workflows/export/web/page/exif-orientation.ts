const MARKER = { soi: 0xffd8, app1: 0xffe1, scan: 0xffda } as const;
const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0];
const ORIENTATION = 0x0112;

/** Where the value of the orientation lies in a JPEG, and whether its two bytes are little endian; null for none. */
function orientationIn(view: DataView): { readonly at: number; readonly little: boolean } | null {
  if (view.byteLength < 4 || view.getUint16(0) !== MARKER.soi) return null;
  for (let at = 2; at + 4 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker < 0xff00 || marker === MARKER.scan) return null;
    const start = at + 4;
    const isExif =
      marker === MARKER.app1 &&
      start + 14 <= view.byteLength &&
      EXIF.every((byte, i) => view.getUint8(start + i) === byte);
    if (!isExif) continue;
    const tiff = start + EXIF.length;
    const little = view.getUint16(tiff) === 0x4949;
    const directory = tiff + view.getUint32(tiff + 4, little);
    if (directory + 2 > view.byteLength) return null;
    const entries = view.getUint16(directory, little);
    for (let i = 0; i < entries; i++) {
      const entry = directory + 2 + 12 * i;
      if (entry + 12 > view.byteLength) return null;
      if (view.getUint16(entry, little) === ORIENTATION) return { at: entry + 8, little };
    }
    return null;
  }
  return null;
}

/**
 * The image as its pixels lie in the file. Browsers turn a picture by its orientation and cannot be told not to, so a
 * JPEG gets the orientation "upright" written into its bytes. Other formats stay as they are.
 */
export async function withoutOrientation(image: Blob): Promise<Blob> {
  const bytes = await image.arrayBuffer();
  const view = new DataView(bytes);
  const found = orientationIn(view);
  if (found === null) return image;
  view.setUint16(found.at, 1, found.little);
  return new Blob([bytes], { type: image.type });
}

/** Markers without a length, which may stand in coded data: TEM and RST0 to RST7 (ITU-T T.81, table B.1). */
const isBare = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
/** Markers of segments that may follow coded data: tables, scans, application data, comments. */
const isSegment = (marker: number): boolean =>
  [0xc4, 0xcc, 0xda, 0xdb, 0xdc, 0xdd, 0xfe].includes(marker) || (marker >= 0xe0 && marker <= 0xef);
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const START_OF_SCAN = 0xda;
const END = 0xd9;

/**
 * The marker of no meaning among the coded data of a JPEG, where there is one: damage, behind which the library would
 * fill the picture with grey, and where Pillow gives up. Undefined for sound files and other bytes. Looks at the bytes
 * 0xff alone: 0.1 ms a megabyte.
 */
export function damagedMarker(bytes: Uint8Array): number | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  let inScans = false;
  for (let at = 2; at >= 0 && at + 1 < bytes.length;) {
    const marker = bytes[at + 1]!;
    if (marker === END) return undefined;
    if (marker === 0xff) at++;
    else if (marker === 0 || isBare(marker)) at = bytes.indexOf(0xff, at + 2);
    else if (!isSegment(marker) && !isFrame(marker)) return inScans ? marker : undefined;
    else if (isFrame(marker) && inScans) return marker;
    else {
      inScans ||= marker === START_OF_SCAN;
      at = bytes.indexOf(0xff, at + 2 + ((bytes[at + 2] ?? 0) << 8) + (bytes[at + 3] ?? 0));
    }
  }
  return undefined;
}

/** Reads bits, the highest first; beyond the end they are 0. */
function bitReader(bytes: Uint8Array): (count: number) => number {
  let at = 0;
  return (count) => {
    let value = 0;
    for (let i = 0; i < count; i++, at++) value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    return value;
  };
}

/** What a sequence header says of colours. */
export interface Av1Colours {
  readonly isMonochrome: boolean;
  /** True where codes run from 0 to 255, false for 16 to 235; told of monochrome pictures. */
  readonly isFullRange: boolean;
}

/** The sequence header in a list of OBUs (AV1 specification, 5.3); undefined where none comes first. */
function sequenceHeader(obus: Uint8Array): Uint8Array | undefined {
  const [SEQUENCE_HEADER, TEMPORAL_DELIMITER] = [1, 2];
  const [head = 0] = obus;
  // An empty unit, its length included, before the first of a film's picture.
  if (((head >> 3) & 15) === TEMPORAL_DELIMITER && obus[1] === 0) return sequenceHeader(obus.subarray(2));
  if (((head >> 3) & 15) !== SEQUENCE_HEADER || (head & 2) === 0) return undefined;
  let at = (head & 4) === 0 ? 1 : 2;
  while ((obus[at] ?? 0) >= 128) at++; // The length, 7 bits a byte: the header ends itself.
  return obus.subarray(at + 1);
}

/** Colours by the sequence header that `obus` begin with (5.5.1, 5.5.2); undefined without one, and with timing. */
export function av1Colours(obus: Uint8Array): Av1Colours | undefined {
  const header = sequenceHeader(obus);
  if (header === undefined) return undefined;
  const bits = bitReader(header);
  const profile = bits(3);
  bits(1); // still_picture
  const isReduced = bits(1) === 1;
  if (isReduced) bits(5);
  else {
    if (bits(1) === 1) return undefined; // timing_info_present_flag: of films
    const hasDelay = bits(1) === 1;
    for (let points = bits(5); points >= 0; points--) {
      bits(12);
      if (bits(5) > 7) bits(1);
      if (hasDelay && bits(1) === 1) bits(4);
    }
  }
  const [widthBits, heightBits] = [bits(4) + 1, bits(4) + 1];
  bits(widthBits);
  bits(heightBits);
  if (!isReduced && bits(1) === 1) bits(7); // frame ids
  bits(3); // superblocks, filter_intra, intra_edge_filter
  if (!isReduced) {
    bits(4);
    const hasOrder = bits(1) === 1;
    if (hasOrder) bits(2);
    const forced = bits(1) === 1 ? 2 : bits(1);
    if (forced > 0 && bits(1) === 0) bits(1);
    if (hasOrder) bits(3);
  }
  bits(3); // superres, cdef, restoration
  const isDeep = bits(1) === 1;
  if (profile === 2 && isDeep) bits(1);
  const isMonochrome = profile !== 1 && bits(1) === 1;
  if (bits(1) === 1) bits(24); // colour description
  return { isMonochrome, isFullRange: bits(1) === 1 };
}

/** A member of an archive that a test writes, header by header. */
export interface TarEntry {
  readonly name: string | Buffer;
  readonly content?: string | Uint8Array;
  /** Default '0', a file. */
  readonly type?: string;
  /** What a link points to. */
  readonly target?: string;
  /** A size other than that of the content. */
  readonly size?: number;
  /** GNU's way to write a size: in base 256. */
  readonly inBase256?: boolean;
}

const bytesOf = (content: string | Uint8Array): Buffer => Buffer.from(content as Uint8Array);

function header({ name, type = '0', target = '', ...entry }: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  Buffer.from(name as string).copy(block, 0, 0, 100);
  block.write('0000644\0', 100);
  if (entry.inBase256 === true) {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  } else block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write(type, 156);
  block.write(target, 157);
  block.write('ustar\x0000', 257);
  return sealed(block);
}

/** A header with the checksum that its bytes have. */
export function sealed(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);

/** The bytes of members as they stand in an archive. */
export const members = (entries: readonly TarEntry[]): Buffer =>
  Buffer.concat(
    entries.flatMap((entry) => {
      const content = bytesOf(entry.content ?? '');
      return [header(entry, entry.size ?? content.length), padded(content)];
    }),
  );

/** The two blocks of zeros that end an archive. */
export const TAR_END: Buffer = Buffer.alloc(1024);

/** An archive of some members, in their order. */
export const tarOf = (entries: readonly TarEntry[]): Buffer => Buffer.concat([members(entries), TAR_END]);

/** An archive of files by path. */
export const tarOfFiles = (files: Readonly<Record<string, string | Uint8Array>>): Buffer =>
  tarOf(Object.entries(files).map(([name, content]) => ({ name, content })));

/** The records of a pax header. */
export function paxRecords(records: Readonly<Record<string, string>>): string {
  return Object.entries(records)
    .map(([key, value]) => {
      const rest = Buffer.byteLength(` ${key}=${value}\n`);
      let length = rest + String(rest).length;
      if (rest + String(length).length !== length) length = rest + String(length).length;
      return `${length} ${key}=${value}\n`;
    })
    .join('');
}

/** A ByteFile of bytes in memory, which counts what is read of it. */
export function bytesFile(bytes: Buffer, name = 'x.tar', windowBytes = 4096) {
  const counts = { bytes: 0, reads: 0 };
  return {
    name,
    windowBytes,
    counts,
    stamp: { size: BigInt(bytes.length), mtimeNs: 1n, ctimeNs: 2n, ino: 3n },
    read(offset: number, length: number): Promise<Buffer> {
      const part = bytes.subarray(offset, offset + length);
      counts.bytes += part.length;
      counts.reads++;
      return Promise.resolve(part);
    },
  };
}

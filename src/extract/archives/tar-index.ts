import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { sizeOf, windowOn, type ByteFile } from './byte-file.ts';
import { requireNotCompressed } from './compressed.ts';
import { BLOCK_BYTES, isZero, parsePax, parseTarHeader, type TarHeader } from './tar-header.ts';
import { tarMembers, type MemberPlace } from './tar-members.ts';

/** The files in an archive. Of several of one name the last counts, as where the archive is unpacked. */
export interface TarIndex {
  readonly members: ReadonlyMap<string, MemberPlace>;
  /** Names that are no UTF-8, their other bytes as \xNN. */
  readonly illegible: readonly string[];
  /** What is in it and not read, in words. */
  readonly remarks: readonly string[];
}

/** Small members whose content is wanted while the headers are read, and who gets it. */
export interface SideFiles {
  readonly wants: (path: string, size: number) => boolean;
  readonly give: (path: string, content: Buffer) => void;
}

/** Longest name or pax header that is read, in bytes. */
const MOST_NAME_BYTES = 2 ** 20;
/** Bytes behind an archive's end that are looked at: whether there is more. */
const BEHIND_BYTES = 2 ** 16;

/** Types of headers that say something of the member behind them: pax, for one or for all, and GNU's long names. */
const BEFORE_A_MEMBER = 'xgLK';

/** What the headers before a member's own say of it. */
interface Extended {
  name?: Buffer;
  target?: Buffer;
  size?: number;
}

function addPax(extended: Extended, bytes: Buffer): void {
  const records = parsePax(bytes);
  const sparse = [...records.keys()].find((key) => key.startsWith('GNU.sparse.'));
  if (sparse !== undefined) throw new Error(`it is a sparse file (${sparse}), which is not read`);
  const [name, target] = [records.get('path'), records.get('linkpath')];
  if (name !== undefined) extended.name = name;
  if (target !== undefined) extended.target = target;
  const size = records.get('size')?.toString('latin1');
  if (size === undefined) return;
  extended.size = Number(size);
  if (!/^\d+$/.test(size) || !Number.isSafeInteger(extended.size))
    throw new Error('its size in the pax header is no number');
}

/** Adds what a header of BEFORE_A_MEMBER says. Throws an Error with the reason. */
function extend(extended: Extended, type: string, body: Buffer): void {
  if (type === 'x') addPax(extended, body);
  else if (type === 'g') {
    const keys = [...parsePax(body).keys()];
    if (keys.includes('path') || keys.includes('size'))
      throw new Error('a global pax header gives all members one name or size, which is not read');
  } else {
    const nul = body.indexOf(0);
    extended[type === 'L' ? 'name' : 'target'] = nul < 0 ? body : body.subarray(0, nul);
  }
}

/** Bytes of a member's content: links, folders and devices have none, whatever size they state. */
function contentLength({ type, size }: TarHeader, extended: Extended): number {
  if (type === 'S') throw new Error('it is a sparse file, which is not read');
  if (type === 'M') throw new Error('it begins in another volume');
  if ('123456'.includes(type)) return 0;
  if (!BEFORE_A_MEMBER.includes(type)) return extended.size ?? size;
  if (size > MOST_NAME_BYTES) throw new Error(`it states a name of ${size} bytes`);
  return size;
}

/**
 * Lists an archive by its headers alone; contents are skipped, but for `sides`. Throws ARCHIVE_CORRUPT naming the byte
 * where it is damaged or cut off, DATASET_LAYOUT where it is compressed. About 200 bytes a member.
 */
export async function tarIndex(file: ByteFile, sides?: SideFiles): Promise<TarIndex> {
  const end = sizeOf(file);
  const read = windowOn(file);
  const found = tarMembers();
  const remarks: string[] = [];
  let extended: Extended = {};

  /** Takes the member whose header is at `at`, and gives the place of the next one. */
  async function take(block: Buffer, at: number): Promise<number> {
    const header = parseTarHeader(block);
    const offset = at + BLOCK_BYTES;
    const size = contentLength(header, extended);
    if (offset + size > end)
      throw new Error(`its content of ${size} bytes does not end in the file, ${offset + size - end} are missing`);
    if (BEFORE_A_MEMBER.includes(header.type)) extend(extended, header.type, await read(offset, size));
    else {
      const { name = header.name, target = header.target } = extended;
      extended = {};
      const path = found.add({ ...header, name, target }, { offset, size });
      if (path !== undefined && header.type === '0' && sides?.wants(path, size) === true)
        sides.give(path, await read(offset, size));
    }
    return offset + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }

  requireNotCompressed(file.name, await read(0, Math.min(BLOCK_BYTES, end)));
  let at = 0;
  try {
    for (let block = await read(at, BLOCK_BYTES); !isZero(block); block = await read(at, BLOCK_BYTES)) {
      if (block.length < BLOCK_BYTES) throw new Error(noEnd(file.name));
      at = await take(block, at);
    }
    const last = await file.read(at, BEHIND_BYTES);
    if (last.length < BLOCK_BYTES) throw new Error(noEnd(file.name));
    if (!isZero(last.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)))
      throw new Error('a block of zeros stands where a header is expected');
    if (!isZero(last))
      remarks.push(
        `${file.name} goes on behind its end at byte ${at}, as several archives in one file do: what comes there is not read. Give each as a file of its own.`,
      );
  } catch (cause) {
    if (cause instanceof PermafrostError || isOfSystem(cause)) throw cause;
    throw new PermafrostError(
      'ARCHIVE_CORRUPT',
      `${file.name} is damaged or cut off at byte ${at} of ${end}: ${reasonOf(cause)}. Nothing of it is used. Get it again, or pack it anew.`,
      { cause },
    );
  }
  return { members: found.members, illegible: found.illegible, remarks: [...found.remarks(file.name), ...remarks] };
}

const isOfSystem = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

const noEnd = (name: string): string =>
  `a header is missing, or the two blocks of zeros that end an archive (if all is there but these: head -c 1024 /dev/zero >> ${name})`;

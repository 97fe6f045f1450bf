import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { sizeOf, windowOn, type ByteFile } from './byte-file.ts';
import { requireNotCompressed } from './compressed.ts';
import { BLOCK_BYTES, isZero, parsePax, parseTarHeader } from './tar-header.ts';
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

const padded = (size: number): number => Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;

/** What the headers before a member's own say of it. */
interface Extended {
  name?: Buffer;
  target?: Buffer;
  size?: number;
}

function fromPax(bytes: Buffer, into: Extended): void {
  const records = parsePax(bytes);
  const sparse = [...records.keys()].find((key) => key.startsWith('GNU.sparse.'));
  if (sparse !== undefined) throw new Error(`it is a sparse file (${sparse}), which is not read`);
  const [name, target, size] = ['path', 'linkpath', 'size'].map((key) => records.get(key));
  if (name !== undefined) into.name = name;
  if (target !== undefined) into.target = target;
  if (size === undefined) return;
  into.size = Number(size.toString('latin1'));
  if (!/^\d+$/.test(size.toString('latin1')) || !Number.isSafeInteger(into.size))
    throw new Error('its size in the pax header is no number');
}

/**
 * Lists an archive by its headers alone; contents are skipped, but for `sides`. Throws ARCHIVE_CORRUPT naming the byte
 * where it is damaged or cut off, DATASET_LAYOUT where it is compressed. About 200 bytes a member.
 */
export async function tarIndex(file: ByteFile, sides?: SideFiles): Promise<TarIndex> {
  const end = sizeOf(file);
  const read = windowOn(file);
  const corrupt: (offset: number, what: string) => never = (offset, what) => {
    throw new PermafrostError(
      'ARCHIVE_CORRUPT',
      `${file.name} is damaged or cut off at byte ${offset} of ${end}: ${what}. Nothing of it is used. Get it again, or pack it anew.`,
    );
  };
  requireNotCompressed(file.name, await read(0, Math.min(BLOCK_BYTES, end)));
  const found = tarMembers();
  const remarks: string[] = [];
  let extended: Extended = {};
  for (let at = 0; ;) {
    const block = await read(at, BLOCK_BYTES);
    if (block.length < BLOCK_BYTES)
      corrupt(
        at,
        `a header or the two blocks of zeros that end an archive are missing (if all is there but these: head -c 1024 /dev/zero >> ${file.name})`,
      );
    if (isZero(block)) {
      const next = await read(at + BLOCK_BYTES, BLOCK_BYTES);
      if (!isZero(next)) corrupt(at, 'a block of zeros stands where a header is expected');
      const behind = await file.read(at, Math.min(BEHIND_BYTES, end - at));
      if (!isZero(behind))
        remarks.push(
          `${file.name} goes on behind its end at byte ${at}, as several archives in one file do: what comes there is not read. Give each as a file of its own.`,
        );
      break;
    }
    try {
      const header = parseTarHeader(block);
      const size = extended.size ?? header.size;
      const content = at + BLOCK_BYTES;
      // Links, folders and devices have no content, whatever size they state.
      const length = '123456'.includes(header.type) ? 0 : size;
      if (content + length > end)
        throw new Error(`its content of ${length} bytes does not end in the file, ${content + length - end} are missing`);
      if ('xgLK'.includes(header.type)) {
        if (length > MOST_NAME_BYTES) throw new Error(`it states a name of ${length} bytes`);
        const body = await read(content, length);
        const nul = body.indexOf(0);
        const named = nul < 0 ? body : body.subarray(0, nul);
        if (header.type === 'x') fromPax(body, extended);
        else if (header.type === 'L') extended.name = named;
        else if (header.type === 'K') extended.target = named;
        else if ([...parsePax(body).keys()].some((key) => key === 'path' || key === 'size'))
          throw new Error('a global pax header gives all members one name or size, which is not read');
      } else if ('SM'.includes(header.type)) {
        throw new Error(header.type === 'S' ? 'it is a sparse file, which is not read' : 'it begins in another volume');
      } else {
        const { name = header.name, target = header.target } = extended;
        const path = found.add({ ...header, name, target }, { offset: content, size: length });
        extended = {};
        if (path !== undefined && header.type === '0' && sides?.wants(path, length) === true)
          sides.give(path, await read(content, length));
      }
      at = content + padded(length);
    } catch (error) {
      if (error instanceof PermafrostError) throw error;
      corrupt(at, reasonOf(error));
    }
  }
  return { members: found.members, illegible: found.illegible, remarks: [...found.remarks(file.name), ...remarks] };
}

import { isUtf8 } from 'node:buffer';
import { few } from '../../core/errors.ts';
import type { TarHeader } from './tar-header.ts';

/** Where the content of a member lies in its archive, in bytes. */
export interface MemberPlace {
  readonly offset: number;
  readonly size: number;
}

/** Types of members that are not read, by their character. */
const KINDS: Readonly<Record<string, string>> = {
  2: 'symbolic links',
  3: 'devices',
  4: 'devices',
  6: 'pipes',
};

/** A name as a path: without empty parts and dots; undefined where it leads out of the archive, or names nothing. */
function cleanPath(name: string): string | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  const leadsOut = name.startsWith('/') || parts.includes('..') || name.includes('\0');
  return leadsOut || parts.length === 0 ? undefined : parts.join('/');
}

const legible = (name: Buffer): string =>
  Array.from(name, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');

/** What was met in an archive, member by member. */
export function tarMembers() {
  const members = new Map<string, MemberPlace>();
  const illegible: string[] = [];
  const left = new Map<string, string[]>();
  function leave(why: string, name: string): void {
    const names = left.get(why);
    if (names === undefined) left.set(why, [name]);
    else names.push(name);
  }
  let twice = 0;
  let lastTwice = '';
  return {
    /** The path that a member gets, or undefined where it is no file that can be named. */
    add({ name, target, type }: TarHeader, place: MemberPlace): string | undefined {
      if (type === '5' || (type === '0' && name.at(-1) === 0x2f)) return undefined;
      if (!isUtf8(name)) {
        illegible.push(legible(name));
        return undefined;
      }
      const own = name.toString('utf8');
      const path = cleanPath(own);
      if (path === undefined) {
        leave('whose names lead out of the archive', own);
        return undefined;
      }
      if (type !== '0' && type !== '1') {
        leave(`that are ${KINDS[type] ?? `of a type that is not read (${JSON.stringify(type)})`}`, own);
        return undefined;
      }
      const linked = type === '1' ? members.get(cleanPath(target.toString('utf8')) ?? '') : place;
      if (linked === undefined) {
        leave('that are links to what is not in it', own);
        return undefined;
      }
      if (members.has(path)) {
        twice++;
        lastTwice = path;
      }
      members.set(path, linked);
      return path;
    },
    remarks(archive: string): string[] {
      const told = Array.from(
        left,
        ([why, names]) => `${archive}: left out ${names.length} members ${why}: ${few(names)}.`,
      );
      if (twice > 0)
        told.push(
          `${archive}: ${twice} members replace one of the same name before them, as where it is unpacked: ${lastTwice}${twice > 1 ? ' and others' : ''}.`,
        );
      return told;
    },
    members,
    illegible,
  };
}

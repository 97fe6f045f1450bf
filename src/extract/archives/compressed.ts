import { PermafrostError } from '../../core/errors.ts';

/** Kinds of compressed files: what they begin with in hex, how they are called, and the command that unpacks them. */
const KINDS = [
  { magic: '1f8b', endings: ['.tar.gz', '.tgz'], name: 'gzip', unpack: 'gunzip -k' },
  { magic: '28b52ffd', endings: ['.tar.zst', '.tzst'], name: 'Zstandard', unpack: 'unzstd -k' },
  { magic: '425a68', endings: ['.tar.bz2', '.tbz2', '.tbz'], name: 'bzip2', unpack: 'bunzip2 -k' },
  { magic: 'fd377a585a', endings: ['.tar.xz', '.txz'], name: 'xz', unpack: 'unxz -k' },
  { magic: '504b0304', endings: ['.zip'], name: 'ZIP', unpack: 'unzip -d FOLDER' },
] as const;

function refuse(name: string, kind: (typeof KINDS)[number]): never {
  throw new PermafrostError(
    'DATASET_LAYOUT',
    `${name} is compressed (${kind.name}): a single image in it cannot be read without all before it, and pictures are compressed already. Unpack it first: ${kind.unpack} ${name}. Then give ${kind.name === 'ZIP' ? 'the folder' : 'the .tar'}.`,
  );
}

/** Whether a name is that of a compressed archive. */
export const isCompressedName = (name: string): boolean =>
  KINDS.some(({ endings }) => endings.some((ending) => name.toLowerCase().endsWith(ending)));

/** Refuses a file by its name: DATASET_LAYOUT with the way on. */
export function refuseCompressed(name: string): never {
  return refuse(
    name,
    KINDS.find(({ endings }) => endings.some((ending) => name.toLowerCase().endsWith(ending)))!,
  );
}

/** Throws DATASET_LAYOUT where a file begins as a compressed one does, whatever it is called. */
export function requireNotCompressed(name: string, start: Buffer): void {
  const kind = KINDS.find(({ magic }) => start.toString('hex', 0, magic.length / 2) === magic);
  if (kind !== undefined) refuse(name, kind);
}

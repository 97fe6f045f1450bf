import { readFileSync } from 'node:fs';

/** Packages are some hundred files, of which Node opens many at once; with so many it has never been short of them. */
const ENOUGH = 256;

/** How many files this process may have open; undefined where the system does not tell (only Linux does). */
const limit = readLimit(); // now: later there may be none left to open

function readLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // no Linux
  }
}

/**
 * What to say of an error that comes of too few open files; undefined for any other. Node says of a package whose
 * description it could not open that there is no such package.
 */
export function fewOpenFiles(error: unknown): string | undefined {
  const codes: unknown[] = [];
  for (let one = error; one instanceof Error; one = one.cause) codes.push((one as NodeJS.ErrnoException).code);
  const isShort = codes.includes('EMFILE') || codes.includes('ENFILE');
  const isSeeming = codes.includes('ERR_MODULE_NOT_FOUND') && limit !== undefined && limit < ENOUGH;
  if (!isShort && !isSeeming) return undefined;
  const now = limit === undefined ? '' : ` than ${limit}`;
  return `This process may not have more files open at once${now}, so its own packages cannot all be opened. Nothing is damaged. Raise the limit ("ulimit -n 1024") and run the same command again.`;
}

import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readWhole } from '../../core/files/read-file.ts';

/** Descriptions are some kilobytes, and some levels deep; what is more is something else. */
const MOST_BYTES = 2 ** 20;
const MOST_LEVELS = 32;

/** The text of a file; undefined where there is none. Throws CONTRACT_INVALID for what cannot be read. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return (await readWhole(path, MOST_BYTES)).toString('utf8');
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw unreadable(path, cause);
  }
}

const unreadable = (source: string, cause: unknown): PermafrostError =>
  new PermafrostError(
    'CONTRACT_INVALID',
    `${source} cannot be read: ${reasonOf(cause)}. Correct it, or name a contract by --contract.`,
    { cause },
  );

/** How deep the lists and objects of a JSON text lie in each other. */
function levelsOf(text: string): number {
  let [level, most, isInString] = [0, 0, false];
  for (let i = 0; i < text.length; i++) {
    const sign = text[i];
    if (sign === '"') isInString = !isInString;
    else if (isInString) i += sign === '\\' ? 1 : 0;
    else if (sign === '{' || sign === '[') most = Math.max(most, ++level);
    else if (sign === '}' || sign === ']') level--;
  }
  return most;
}

/** JSON of `source`. Throws CONTRACT_INVALID. */
export function parsedJson(source: string, text: string): unknown {
  try {
    if (levelsOf(text) > MOST_LEVELS) throw new Error(`it is more than ${MOST_LEVELS} levels deep`);
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(source, cause);
  }
}

/** The JSON of a file; undefined where there is none. Throws CONTRACT_INVALID for what is no JSON. */
export async function jsonOf(path: string): Promise<unknown> {
  const text = await textOf(path);
  return text === undefined ? undefined : parsedJson(path, text);
}

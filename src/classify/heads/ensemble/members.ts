import { PermafrostError } from '../../../core/errors.ts';
import type { Head } from '../../head.ts';

/** Makes a head by its name; throws OPTION_INVALID. */
export type MakeHead = (name: string, options: Readonly<Record<string, unknown>>) => Head;

/** A word of a list as the value of an option: a number or truth value where it is one. */
function valueOf(word: string): unknown {
  if (word === 'true' || word === 'false') return word === 'true';
  const number = Number(word);
  return word !== '' && Number.isFinite(number) ? number : word;
}

/**
 * Reads `logistic C=10; knn nNeighbors=9`: heads with a semicolon between them, each with its options. Throws
 * OPTION_INVALID for fewer than two, for what is no option, and what `make` throws.
 */
export function readMembers(text: string, make: MakeHead): readonly Head[] {
  const members = text.split(';').map((item) => {
    const [name = '', ...words] = item.trim().split(/\s+/);
    const options = words.map((word) => {
      const at = word.indexOf('=');
      if (at < 1) refuse(`"${word}" of "${item.trim()}" is no option`);
      return [word.slice(0, at), valueOf(word.slice(at + 1))] as const;
    });
    if (name === 'ensemble') refuse('an ensemble is no member of an ensemble');
    return make(name, Object.fromEntries(options));
  });
  if (members.length < 2) refuse(`found ${members.length}, an ensemble needs two members or more`);
  return members;
}

function refuse(found: string): never {
  throw new PermafrostError(
    'OPTION_INVALID',
    `The head "ensemble": ${found}. Name members with semicolons between them, their options as name=value, such as "logistic C=10; knn nNeighbors=9".`,
  );
}

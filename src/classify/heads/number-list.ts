import { PermafrostError } from '../../core/errors.ts';

/** The numbers > 0 in text with commas between them; none in empty text. Throws OPTION_INVALID, naming the option. */
export function numbersOf(owner: string, key: string, list: string): number[] {
  if (list.trim() === '') return [];
  const numbers = list.split(',').map(Number);
  if (numbers.every((value) => value > 0 && Number.isFinite(value))) return numbers;
  throw new PermafrostError(
    'OPTION_INVALID',
    `${owner}: ${key} must be numbers > 0 with commas between them, such as 0.1,1,10, got ${JSON.stringify(list)}.`,
  );
}

import type { Strangeness } from '../results/answer-results.ts';
import { significant } from './format.ts';

/** A share in words, cut to one digit behind the point: 99.96 % is not all. */
const atLeast = (share: number): string => `${Math.floor(Number((1000 * share).toFixed(6))) / 10} %`;

/**
 * How unusual an image is beside the training images, each of which was judged unseen; undefined of older heads, whose
 * files do not tell.
 */
export function besideTrained({ measure, lessStrange }: Strangeness): string | undefined {
  if (lessStrange === null) return undefined;
  const how = measure === 'energy' || measure === 'top-probability' ? 'less like any known class' : 'farther off';
  return `${how} than ${lessStrange === 1 ? 'every training image' : `${atLeast(lessStrange)} of the training images`}`;
}

/** Why an image is called unusual, in words. */
export function unusualText(strangeness: Strangeness): string {
  const { measure, value, threshold } = strangeness;
  const facts = `${measure} ${significant(value)}, unknown above ${significant(threshold)}`;
  const how = besideTrained(strangeness);
  return how === undefined ? `unusual: ${facts}` : `unusual: ${how} (${facts})`;
}

import type { AnswersResult } from '../../results/head-result.ts';
import { plural } from '../format.ts';
import { printable } from '../printable.ts';

/** Where a head's answers to every image are kept, and how many have none. */
export function answersText({ parquet, csv, images, answered }: AnswersResult): string {
  const none =
    answered === images
      ? ''
      : ` ${plural(images - answered, 'image')} ${images - answered === 1 ? 'has' : 'have'} none: training images that no head judged which had not seen them, and images of splits that the head was not measured on.`;
  return `Its answers to ${plural(answered, 'image')}, a row an image, training images judged by heads that had not seen them: ${printable(csv)} and ${printable(parquet)}.${none}`;
}

import type { CheckResult, CopyResult } from '../results/check-result.ts';
import { plural } from './format.ts';

type Looked = Pick<CheckResult, 'images' | 'compared' | 'nearMissing' | 'nearLeftOut' | 'unread'>;

/** Why copies that are not equal files may have been missed, as parts of a sentence; none where all were looked for. */
export function notLookedFor({ images, compared, nearMissing, nearLeftOut, unread }: Looked): string[] {
  return [
    ...(compared < images ? [`only ${compared} of ${plural(images, 'image')} were compared`] : []),
    ...(nearMissing !== null ? [`${plural(unread, 'image')} could not be compared at all`] : []),
    ...(nearMissing === null && unread > 0 ? [`${plural(unread, 'image')} could be compared by features alone`] : []),
    ...(nearLeftOut > 0 ? [`${plural(nearLeftOut, 'pair')} of images were too many to compare`] : []),
  ];
}

/** How one knows that two files show one picture. */
export const evidence = ({ correlation, cosine, mirrored }: Omit<CopyResult, 'a' | 'b'>): string =>
  `${correlation === null ? `features ${cosine.toFixed(3)}` : `pixels ${correlation.toFixed(3)}`}${mirrored ? ', mirrored' : ''}`;

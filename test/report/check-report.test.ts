import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../src/results/check-result.ts';
import { checkText } from '../../src/report/check-report.ts';
import { reportData } from '../support/report-data.ts';

const figure = { images: 3, accuracy: 1, interval: [0.4, 1] } as const;
const clean: CheckResult = {
  ...reportData().check,
  exact: [],
  near: [],
  alike: [],
  leaks: [],
  leakedImages: 0,
  accuracy: { head: 'logistic', all: figure, clean: figure },
};

describe('what check says', () => {
  it('of leaks that are not there is said only where they were looked for', () => {
    expect(checkText(clean)).toContain('no leak inflates it.');
    for (const [change, why] of [
      [{ compared: 4 }, 'only 4 of 5 images were compared'],
      [{ unread: 2 }, '2 images could be compared by features alone'],
      [{ unread: 2, nearMissing: 'Not looked for.' }, '2 images could not be compared at all'],
      [{ nearLeftOut: 7 }, '7 pairs of images were too many to compare'],
    ] as const) {
      const text = checkText({ ...clean, ...change });
      expect(text).not.toContain('no leak inflates it');
      expect(text).toContain(`no leak was found, as far as was looked: ${why}.`);
    }
  });

  it('of label errors is how many there are, and whether all of them are shown', () => {
    const [suspect] = clean.suspects;
    expect(checkText({ ...clean, labelErrors: 0, suspects: [] })).toContain('No label error is suspected.');
    expect(checkText({ ...clean, labelErrors: 1 })).toContain('About 1 label may be wrong (confident learning); the');
    expect(checkText({ ...clean, labelErrors: 30, suspects: [suspect!] })).toContain(
      'About 30 labels may be wrong (confident learning), the first 1 are shown (--suspects); the',
    );
    expect(checkText({ ...clean, labelErrors: 0 })).toContain(
      'No label error is suspected, 1 further image less likely so; the',
    );
  });

  it('of images that are alike is no word of a copy', () => {
    const text = checkText({ ...clean, alike: [{ a: 'a.jpg', b: 'b.jpg', cosine: 0.8 }] });
    expect(text).toContain('0 pairs of other copies, 1 pair alike');
    expect(text).toMatch(/Alike, and no copies.*no leaks.*\n\s+0\.8000\s+"a\.jpg"\s+"b\.jpg"/);
  });
});

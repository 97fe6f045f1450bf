import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/core/sample.ts';
import { extractText, failuresText } from '../../src/report/extract-report.ts';
import { extractResult, ODD_NAME, ODD_SHOWN } from '../support/results.ts';

const failure = (path: string, reason = 'It is no picture.'): Failure => ({
  path,
  code: 'IMAGE_UNDECODABLE',
  reason,
});

describe('the report of an extraction', () => {
  it('tells data set, store, settings, engine, counts and speed', () => {
    expect(extractText(extractResult({ failed: [failure('Train/ants/x.jpg')] }))).toBe(
      `data set    /pictures/Ants: 8 train, 3 val, 2 classes
store       /data/Ants.permafrost
features    block5_pool, contract vgg16-0123abcd, maps in float16
engine      onnxruntime 1.30.0, cpu, fp32
extraction  8 extracted, 3 reused, 1 failed in 2.0 s (4.0 extracted images/s)

1 image failed:
  "Train/ants/x.jpg"  IMAGE_UNDECODABLE: It is no picture.
`,
    );
  });

  it('has no speed where nothing was extracted, and says what differed where something was', () => {
    expect(extractText(extractResult({ extracted: 0, reused: 11 }))).toMatch(
      /^extraction  0 extracted, 11 reused, 0 failed in 2\.0 s\n$/m,
    );
    const because = 'contract.geometry: "squash", not "cover-crop"';
    expect(extractText(extractResult({ extractedBecause: because }))).toMatch(
      /\nnot reused  the stored features differ in contract\.geometry: "squash", not "cover-crop"\n$/,
    );
  });

  it('stands a data set of which nothing is left', () => {
    const text = extractText(extractResult({ extracted: 0, reused: 0, splits: {}, classes: [] }));
    expect(text).toMatch(/^data set    \/pictures\/Ants: no images, 0 classes\n/);
  });

  it('hands no name to the terminal that it would obey', () => {
    const odd = { dataset: ODD_NAME, store: ODD_NAME, failed: [failure(ODD_NAME, `bad\n${ODD_NAME}`)] };
    const text = extractText(extractResult(odd));
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(text.split('\n')).toHaveLength(9);
    expect(text).toContain(`store       ${ODD_SHOWN}\n`);
    expect(text).toContain(`  "${ODD_SHOWN}"  IMAGE_UNDECODABLE: bad\\n${ODD_SHOWN}\n`);
  });
});

describe('the list of failures', () => {
  it('is nothing where there are none', () => expect(failuresText([])).toBe(''));

  it('shows twenty and counts the rest', () => {
    const twenty = Array.from({ length: 20 }, (_, i) => failure(`${i}.jpg`));
    expect(failuresText(twenty)).toMatch(/^\n20 images failed:\n(  "\d+\.jpg"  .*\n){20}$/);
    const text = failuresText([...twenty, failure('20.jpg'), failure('21.jpg')]);
    expect(text).toMatch(/^\n22 images failed:\n(  "\d+\.jpg"  .*\n){20}  and 2 more \(all of them with --json\)\n$/);
  });

  it('quotes names, so that spaces and quotes in them are seen', () => {
    expect(failuresText([failure(' a "b".jpg ')])).toContain('  " a \\"b\\".jpg "  IMAGE');
  });
});

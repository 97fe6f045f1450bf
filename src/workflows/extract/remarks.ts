import type { Contract } from '../../core/contract.ts';
import { few } from '../../core/errors.ts';
import { plural } from '../../core/words.ts';
import type { Sample } from '../../core/sample.ts';
import { contractInASentence, withOtherAlpha } from '../../extract/contract.ts';
import type { Remark } from '../../extract/image/remarks.ts';
import type { OneColourImage } from '../../results/extract-result.ts';
import type { SampleContents } from './sample-contents.ts';

/** What is to be told of images that decoded to something odd. */
export interface Remarks {
  readonly oneColour: readonly OneColourImage[];
  readonly warnings: readonly string[];
}

const isWhite = ({ rgb }: OneColourImage): boolean => rgb.every((level) => level === 255);

/** Why pictures of one colour came about, and the way on, where transparency can be the cause. */
function whyWhite(contract: Contract, veiled: number, count: number): string {
  const other = withOtherAlpha(contract);
  const way = other === undefined ? 'a contract that says "alpha": "drop"' : `--contract ${other}`;
  const which = veiled === count ? 'They have' : `${veiled} of them have`;
  return (
    ` ${which} transparent parts, under which this contract lays white paper: light shapes vanish on it. ` +
    `Extract with ${way}, which takes the colours hidden under transparent pixels, or lay another ground under the files first.`
  );
}

/** `remarks` by content, in words, with the images that have it. */
export function remarksInWords(
  contract: Contract,
  samples: Iterable<Pick<Sample, 'path'>>,
  contents: Pick<SampleContents, 'get'>,
  remarks: ReadonlyMap<string, Remark>,
): Remarks {
  if (remarks.size === 0) return { oneColour: [], warnings: [] };
  const oneColour: OneColourImage[] = [];
  const clipped: string[] = [];
  let veiled = 0;
  for (const { path } of samples) {
    const remark = remarks.get(contents.get(path) ?? '');
    if (remark?.isClipped === true) clipped.push(path);
    if (remark?.oneColour === undefined) continue;
    const image = { path, rgb: remark.oneColour };
    oneColour.push(image);
    if (remark.hasAlpha && isWhite(image) && contract.alpha === 'white') veiled++;
  }
  const warnings: string[] = [];
  if (oneColour.length > 0) {
    const named = oneColour.map(
      (image) => `${image.path} (${isWhite(image) ? 'white' : `RGB ${image.rgb.join(' ')}`})`,
    );
    warnings.push(
      `${plural(oneColour.length, 'image is', 'images are')} one colour under ${contractInASentence(contract)}, and nothing can be learned of them: ${few(named)}.` +
        (veiled > 0 ? whyWhite(contract, veiled, oneColour.length) : ''),
    );
  }
  if (clipped.length > 0) {
    const other = withOtherAlpha(contract);
    const way = other === undefined ? 'A contract that says "alpha": "white"' : `The contract ${other}`;
    warnings.push(
      `${plural(clipped.length, 'image')} of 16-bit grey ${clipped.length === 1 ? 'is' : 'are'} cut off at 255 of 65,535, mostly white, as Keras and Pillow read them: ${few(clipped)}. ${way} takes their upper 8 bits.`,
    );
  }
  return { oneColour, warnings };
}

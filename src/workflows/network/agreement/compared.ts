import { cosine, row, type Matrix } from '../../../core/matrix.ts';
import { hits, topClass } from '../../../classify/evaluate/metrics.ts';
import { plural } from '../../../core/words.ts';
import type { EngineAgreement } from '../../../results/answer-results.ts';
import type { Judge, Pairs } from './judge.ts';

/**
 * What an engine of another class must keep of the answers and features (docs/engines.md has measurements): another
 * class on one image in twenty at most, where two classes are about as likely, and no probability further off than a
 * head's own errors of calibration.
 */
const MOST_OTHER_CLASSES = 0.05;
const LARGEST_DIFFERENCE = 0.05;
/** As much as int8 may differ from the same network in float32 (reference-check.ts), and half of that. */
const leastCosineOf = (classes: string): number => (classes.includes('/int8') ? 0.98 : 0.99);

/** Two matrices of probabilities, row by row. */
function comparedAnswers(own: Matrix, other: Matrix): Pick<EngineAgreement, 'sameClass' | 'largestDifference'> {
  const sameClass = hits(topClass(own), topClass(other));
  // A number that is none is no agreement.
  const differences = own.data.map((p, at) => Math.abs(p - other.data[at]!));
  return { sameClass, largestDifference: differences.reduce((a, b) => (b <= a ? a : b), 0) };
}

const cosines = (own: Matrix, other: Matrix): number[] =>
  Array.from({ length: own.rows }, (_, i) => {
    const found = cosine(row(own, i), row(other, i));
    return Number.isFinite(found) ? found : 0;
  });

/** How two engine classes differ on the same images. */
export async function compared(
  { by, own, other, answers }: Pairs,
  answersOf: Judge['answersOf'],
): Promise<Omit<EngineAgreement, 'own' | 'other'>> {
  const ofOwn = answers ?? (own && (await answersOf?.(own)));
  const ofOther = ofOwn && (await answersOf?.(other));
  const found =
    ofOwn === undefined || ofOther === undefined
      ? { sameClass: null, largestDifference: null }
      : comparedAnswers(ofOwn, ofOther);
  return {
    by,
    images: other.rows,
    ...found,
    leastCosine: own === undefined ? null : Math.min(...cosines(own, other)),
  };
}

/** In which of the bounds classes do not agree, in words; undefined where they do. */
export function disagreement(agreement: EngineAgreement): string | undefined {
  const { own, other, by, images, sameClass, largestDifference, leastCosine } = agreement;
  const most = Math.floor(images * MOST_OTHER_CLASSES);
  const least = leastCosineOf(`${own} ${other}`);
  const found: string[] = [];
  if (sameClass !== null && images - sameClass > most)
    found.push(`another class is likeliest on ${images - sameClass} (${most} at most are allowed)`);
  if (largestDifference !== null && !(largestDifference <= LARGEST_DIFFERENCE))
    found.push(`a probability differs by ${largestDifference.toFixed(4)} (allowed ${LARGEST_DIFFERENCE})`);
  if (leastCosine !== null && !(leastCosine >= least))
    found.push(`the least cosine of the features is ${leastCosine.toFixed(4)} (expected ${least} or more)`);
  return found.length === 0 ? undefined : `on ${plural(images, by.slice(0, -1))}, ${found.join(', ')}`;
}

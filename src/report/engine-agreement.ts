import type { EngineAgreement } from '../results/answer-results.ts';
import { plural } from './format.ts';

/** Which engine answered in place of which, and what was checked. */
export function agreementText(agreement: EngineAgreement): string {
  const { own, other, by, images, sameClass, largestDifference, leastCosine } = agreement;
  const found = [
    ...(sameClass === null ? [] : [`the same class on ${sameClass} of ${plural(images, by.slice(0, -1))}`]),
    ...(largestDifference === null ? [] : [`no probability differs by more than ${largestDifference.toFixed(4)}`]),
    ...(leastCosine === null ? [] : [`the least cosine of the features is ${leastCosine.toFixed(5)}`]),
    ...(sameClass === null ? [`on ${plural(images, by.slice(0, -1))}`] : []),
  ];
  return `Answered by ${other} in place of ${own}, which made the features; compared once: ${found.join(', ')}.`;
}

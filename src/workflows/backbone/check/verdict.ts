import { holm } from '../../../classify/evaluate/holm.ts';
import { pairedJackknife } from '../../../classify/evaluate/label-alignment.ts';
import { wilsonInterval } from '../../../classify/evaluate/metrics.ts';
import { mcNemar, pairedT } from '../../../classify/evaluate/paired-tests.ts';
import type { CheckedContract, ContractCheck, ContractFigures } from '../../../results/backbone-results.ts';
import type { Neighbour } from './neighbours.ts';
import type { Scores } from './scores.ts';

/** A contract with the scores of its features. */
export type Scored = Neighbour & Scores;

type Figure = keyof ContractFigures;

/**
 * How surely a network names its own classes tells of the contract only where the images are of them. Measured with
 * EfficientNet-Lite0 and SqueezeNet: agreement with the labels of photographs of insects 0.85 and 0.73, of clothes
 * 0.50; of X-rays 0.34, of tiles 0.20, of hands 0.03, where wrong contracts made the network surer.
 */
const LEAST_AGREEMENT = 0.45;
/**
 * A contract under which the network is surer is no better where its classes agree less with the labels, or fewer
 * images have neighbours of their class: of small pictures on grey SqueezeNet was surer of pixels 255 times too large,
 * with 0.82 in place of 0.89.
 */
const LESS_AGREEMENT = 0.05;

/** Contracts are told apart at this level, all comparisons together. */
const LEVEL = 0.05;

/** What must be between two figures, however sure the difference is: less is no reason to change anything. */
const LEAST: ContractFigures = { accuracy: 0, alignment: 0.01, ownClasses: 0.1 };

const total = (values: Uint8Array | Float64Array): number => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};
const mean = (values: Uint8Array | Float64Array): number => total(values) / values.length;

const figuresOf = ({ right, alignment, own }: Scores): ContractFigures => ({
  accuracy: mean(right),
  alignment: alignment.value,
  ownClasses: own === undefined ? null : mean(own.standingOut),
});

/** The tests of one contract against the stated one, on the same images. */
function testsOf(stated: Scores, other: Scored, areKnown: boolean): (readonly [Figure, number])[] {
  const ones = (right: Uint8Array): Int32Array => Int32Array.from(right);
  const truth = new Int32Array(stated.right.length).fill(1);
  return [
    ['accuracy', mcNemar(truth, ones(stated.right), ones(other.right)).pValue],
    ['alignment', pairedJackknife(stated.alignment, other.alignment)],
    // Seen larger or smaller, a thing is surer or less sure by itself: that is no matter of right and wrong.
    ...(!areKnown || other.kind === 'geometry' || stated.own === undefined || other.own === undefined
      ? []
      : ([['ownClasses', pairedT(stated.own.standingOut, other.own.standingOut)]] as const)),
  ];
}

/** How much better a figure of a contract is than that of the stated one. */
const gain = (figure: Figure, stated: ContractFigures, other: ContractFigures): number =>
  other[figure]! - stated[figure]!;

/** Whether under the contract that makes a network surer its classes, and the neighbours, tell the labels as well. */
function agrees(stated: Scored, other: Scored): boolean {
  const isSurer = mean(other.own!.standingOut) > mean(stated.own!.standingOut);
  const [surer, less] = isSurer ? [other, stated] : [stated, other];
  return (
    surer.own!.agreement >= less.own!.agreement - LESS_AGREEMENT &&
    mean(surer.right) >= mean(less.right) - LESS_AGREEMENT
  );
}

/** Compares the stated contract with each other; p-values are adjusted for all comparisons and figures together. */
function compared(stated: Scored, others: readonly Scored[], areKnown: boolean): CheckedContract[] {
  const tests = others.map((other) => testsOf(stated, other, areKnown));
  const adjusted = holm(tests.flat().map(([, p]) => p));
  let next = 0;
  const own = figuresOf(stated);
  return others.map((other, i) => {
    const pValues = Object.fromEntries(tests[i]!.map(([figure]) => [figure, adjusted[next++]!]));
    const figures = figuresOf(other);
    const told = (Object.keys(pValues) as Figure[]).filter(
      (figure) =>
        pValues[figure]! <= LEVEL &&
        Math.abs(gain(figure, own, figures)) >= LEAST[figure]! &&
        (figure !== 'ownClasses' || agrees(stated, other)),
    );
    const better = told.filter((figure) => gain(figure, own, figures) > 0);
    const isMixed = better.length > 0 && better.length < told.length;
    return {
      what: other.what,
      kind: other.kind,
      contract: other.contract,
      interval: wilsonInterval(total(other.right), other.right.length),
      figures,
      pValues,
      told: told.length === 0 || isMixed ? 'alike' : better.length > 0 ? 'better' : 'worse',
      decidedBy: isMixed ? [] : told.sort((a, b) => pValues[a]! - pValues[b]!),
    };
  });
}

/** The best first: by the sum of the ranks that the figures give. */
function ranked(contracts: readonly CheckedContract[]): CheckedContract[] {
  const rank = ({ figures }: CheckedContract): number =>
    (Object.keys(LEAST) as Figure[])
      .filter((figure) => figures[figure] !== null)
      .reduce((sum, figure) => sum + contracts.filter((other) => gain(figure, figures, other.figures) > 0).length, 0);
  return [...contracts].sort((a, b) => rank(a) - rank(b));
}

/** What decided, in words: the accuracy where it did, else the surest figure. */
function because({ decidedBy, figures }: CheckedContract, stated: ContractFigures): string {
  const figure = decidedBy.includes('accuracy') ? 'accuracy' : decidedBy[0]!;
  const [its, own] = [figures[figure]!, stated[figure]!];
  switch (figure) {
    case 'accuracy':
      return `is right on ${its.toFixed(2)} of these images, the stated one on ${own.toFixed(2)}`;
    case 'alignment':
      return `tells the classes of these images further apart (alignment ${its.toFixed(3)}, the stated one ${own.toFixed(3)})`;
    case 'ownClasses':
      return `makes the network surer of its own classes on these images (${its.toFixed(2)} deviations, the stated one ${own.toFixed(2)})`;
  }
}

/** The verdict on a stated contract beside others, in a sentence too. */
export function judged(
  name: string,
  stated: Scored,
  scored: readonly Scored[],
): Pick<ContractCheck, 'stated' | 'others' | 'verdict' | 'sentence'> & { readonly areKnown: boolean } {
  const figures = figuresOf(stated);
  const interval = wilsonInterval(total(stated.right), stated.right.length);
  const { what, kind, contract } = stated;
  const areKnown = [stated, ...scored].some((one) => (one.own?.agreement ?? 0) >= LEAST_AGREEMENT);
  const own: CheckedContract = { what, kind, contract, interval, figures, pValues: null, told: null, decidedBy: [] };
  const others = ranked(compared(stated, scored, areKnown));
  const [better] = others.filter(({ told }) => told === 'better');
  const alike = others.filter(({ told }) => told === 'alike').map((other) => other.what);
  const right = `${figures.accuracy.toFixed(2)} of these images`;
  const verdict = better ? 'beaten' : alike.length > 0 ? 'not told apart' : 'best';
  const sentence = {
    beaten:
      better &&
      `The contract of ${name} looks wrong${better.kind === 'geometry' ? ' for these images' : ''}: "${better.what}" ${because(better, figures)}.`,
    best: `The stated contract of ${name} is best: it is right on ${right}, and each other one is told to be worse.`,
    'not told apart': `Nothing beats the stated contract of ${name}, which is right on ${right}. These images do not tell it from: ${alike.join('; ')}.`,
  }[verdict]!;
  return { stated: own, others, verdict, sentence, areKnown };
}

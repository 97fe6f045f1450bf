import type { Contract } from '../../../core/contract.ts';
import { holm } from '../../../classify/evaluate/holm.ts';
import { wilsonInterval } from '../../../classify/evaluate/metrics.ts';
import { mcNemar, pairedT } from '../../../classify/evaluate/paired-tests.ts';
import type { CheckedContract, ContractCheck } from '../../../results/backbone-results.ts';
import type { Scores } from './scores.ts';

/** A contract with the scores that its features had. */
export interface Scored extends Scores {
  readonly what: string;
  readonly contract: Contract;
}

/** Two contracts are told apart at this level, all comparisons together. */
const LEVEL = 0.05;

const sum = (values: Uint8Array | Float64Array): number => (values as Float64Array).reduce((a, b) => a + b, 0);

function facts({ what, contract, right, losses }: Scored): Omit<CheckedContract, 'pValues' | 'told'> {
  const hits = sum(right);
  return {
    what,
    contract,
    accuracy: hits / right.length,
    interval: wilsonInterval(hits, right.length),
    logLoss: sum(losses) / losses.length,
  };
}

/** Compares the first with each other, by both figures, adjusted for all comparisons together. */
function compared([stated, ...others]: readonly [Scored, ...Scored[]]): CheckedContract[] {
  const truth = new Int32Array(stated.right.length).fill(1);
  const ones = (right: Uint8Array): Int32Array => Int32Array.from(right);
  const raw = others.flatMap((other) => [
    mcNemar(truth, ones(stated.right), ones(other.right)).pValue,
    pairedT(stated.losses, other.losses),
  ]);
  const adjusted = holm(raw);
  return others.map((other, i) => {
    const [accuracy, logLoss] = [adjusted[2 * i]!, adjusted[2 * i + 1]!];
    const found = facts(other);
    const by = logLoss <= accuracy ? sum(stated.losses) - sum(other.losses) : sum(other.right) - sum(stated.right);
    const told = Math.min(accuracy, logLoss) > LEVEL ? 'alike' : by > 0 ? 'better' : 'worse';
    return { ...found, pValues: { accuracy, logLoss }, told };
  });
}

const share = (value: number): string => value.toFixed(2);

/** The verdict on the first of some contracts, in a sentence too. */
export function judged(
  name: string,
  scored: readonly [Scored, ...Scored[]],
): Pick<ContractCheck, 'stated' | 'others' | 'verdict' | 'sentence'> {
  const stated: CheckedContract = { ...facts(scored[0]), pValues: null, told: null };
  const others = compared(scored).sort((a, b) => a.logLoss - b.logLoss);
  const better = others.filter(({ told }) => told === 'better');
  const alike = others.filter(({ told }) => told === 'alike');
  const on = `${share(stated.accuracy)} of these images`;
  if (better.length > 0) {
    const [best] = better as [CheckedContract];
    const figure =
      best.accuracy > stated.accuracy
        ? `is right on ${share(best.accuracy)} of these images, the stated one on ${share(stated.accuracy)}`
        : `has a log loss of ${best.logLoss.toFixed(3)} on these images, the stated one of ${stated.logLoss.toFixed(3)}`;
    return {
      stated,
      others,
      verdict: 'beaten',
      sentence: `The contract of ${name} looks wrong: ${best.what} ${figure}.`,
    };
  }
  if (alike.length === 0)
    return {
      stated,
      others,
      verdict: 'best',
      sentence: `The stated contract of ${name} is best: it is right on ${on}, and each other one is told to be worse.`,
    };
  return {
    stated,
    others,
    verdict: 'not told apart',
    sentence: `Nothing beats the stated contract of ${name}, which is right on ${on}; not told apart from it: ${alike.map(({ what }) => what).join(', ')}.`,
  };
}

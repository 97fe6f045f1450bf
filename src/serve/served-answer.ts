import type { Answer } from '../results/answer-results.ts';
import { likeliest } from '../workflows/classifier/answers-of.ts';
import type { Question, ServedAnswer } from './api.ts';

/** An answer as it is sent: of the probabilities the likeliest `top`, all where that is 0. */
export function servedAnswer(answer: Answer, { top }: Pick<Question, 'top'>): ServedAnswer {
  const { label, probability, unknown, strangeness, neighbors } = answer;
  return {
    label,
    probability,
    unknown,
    strangeness,
    top: likeliest(answer, top || Infinity),
    neighbors: [...neighbors],
  };
}

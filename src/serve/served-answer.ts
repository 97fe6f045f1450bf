import type { Answer } from '../results/answer-results.ts';
import type { Question, ServedAnswer } from './api.ts';

/** An answer as it is sent: of the probabilities the likeliest `top`, all where that is 0. */
export function servedAnswer(answer: Answer, { top }: Pick<Question, 'top'>): ServedAnswer {
  const { label, probability, unknown, strangeness, probabilities, neighbors } = answer;
  const ranked = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
  return {
    label,
    probability,
    unknown,
    strangeness,
    top: ranked.slice(0, top || ranked.length).map(([name, value]) => ({ label: name, probability: value })),
    neighbors: [...neighbors],
  };
}

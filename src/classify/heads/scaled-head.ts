import { applyTemperature } from '../evaluate/calibration.ts';
import type { FittedHead } from '../head.ts';

/**
 * The head with its probabilities scaled by one temperature (`fitTemperature` on rows that it was not fitted on): what
 * it answers stays, how sure it is changes. Undefined: the head as it is.
 */
export function scaledHead(head: FittedHead, temperature: number | undefined): FittedHead {
  if (temperature === undefined) return head;
  const { logits } = head;
  return {
    ...head,
    temperature,
    predictProba: async (X) => applyTemperature(await head.predictProba(X), temperature, head.leastShare),
    ...(logits && {
      async logits(X) {
        const raw = await logits(X);
        return { ...raw, data: raw.data.map((s) => s / temperature) };
      },
    }),
  };
}

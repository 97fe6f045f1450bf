import * as z from 'zod';
import { SPLITS } from '../../core/sample.ts';

const interval = z.tuple([z.number(), z.number()]);
const score = z.looseObject({ accuracy: z.number(), logLoss: z.number() });
const strategy = z.enum(['head-only', 'retrain-all', 'freeze-early', 'layers-as-features']);
const facts = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));

const comparison = z.looseObject({
  difference: z.number(),
  interval,
  onlyThis: z.number(),
  onlyFrozen: z.number(),
  pValue: z.number(),
  adjusted: z.number(),
  logLossDifference: z.number(),
  logLossPValue: z.number(),
  logLossAdjusted: z.number(),
});

const trial = z.looseObject({
  strategy,
  name: z.string(),
  accuracy: z.number(),
  interval,
  logLoss: z.number(),
  seconds: z.number(),
  peakBytes: z.number(),
  heldOut: score.extend({ by: z.enum(['crossValidation', 'part']), images: z.number(), frozen: score }).nullable(),
  comparison: comparison.nullable(),
  curves: z.array(
    z.looseObject({
      name: z.string(),
      epochs: z.array(z.looseObject({ epoch: z.number(), heldOut: score.nullable(), val: score.nullable() })),
    }),
  ),
  kept: z.enum(['tuned', 'frozen']).exactOptional(),
  chosen: facts,
  remarks: z.array(z.string()),
  file: z.string().exactOptional(),
});

const advice = z.looseObject({
  imagesPerClass: z.number(),
  largeFrom: z.number(),
  size: z.enum(['small', 'large']),
  domain: z.enum(['similar', 'different', 'unknown']),
  layers: z
    .looseObject({
      deepest: z.string(),
      earlier: z.string(),
      accuracyDeepest: z.number(),
      accuracyEarlier: z.number(),
      pValue: z.number(),
    })
    .nullable(),
  advised: strategy,
  measured: z.enum(['better', 'no better', 'not tried', 'is the frozen head']),
  take: strategy,
  alsoBetter: z.array(strategy),
});

/** What `run --strategies` leaves in results.json, as StrategiesResult. */
export const strategiesSchema = z.looseObject({
  trained: z.number(),
  validated: z.number(),
  validatedOn: z.enum(SPLITS),
  minutes: z.number(),
  seconds: z.number(),
  trials: z.array(trial),
  skipped: z.array(z.looseObject({ strategy, name: z.string(), reason: z.string() })),
  advice,
  looks: z.looseObject({ heads: z.number(), isComplete: z.boolean() }).exactOptional(),
});

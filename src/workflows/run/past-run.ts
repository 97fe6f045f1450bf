import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { OrReason } from '../../results/report-data.ts';
import type { HeadResult, RunResult } from '../../results/head-result.ts';
import { SPLITS } from '../../core/sample.ts';
import { sealedProblem } from '../../store/format/seal-beside.ts';
import { strategiesSchema } from './past-strategies.ts';

/** What `run` leaves in a store. */
export const RESULTS_NAME = 'results.json';

const parameters = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
const curve = z.array(z.number());
// JSON has no NaN: what was not a number stands as null in it.
const number = z.preprocess((value) => (value === null ? NaN : value), z.number().or(z.nan()));

const interval = z.tuple([z.number(), z.number()]);

/** The rule for "unknown", as RejectResult. */
const reject = z.looseObject({
  rate: z.number(),
  problem: z.string().nullable(),
  rule: z
    .looseObject({
      measure: z.string(),
      threshold: z.number(),
      calibratedOn: z.number(),
      // Fields that older versions did not write are optional.
      rateInterval: interval.exactOptional(),
      comparedWith: z.number().exactOptional(),
      measures: z.array(z.looseObject({ measure: z.string(), auroc: z.number() })),
      leftOut: z.array(z.string()),
      leftOutRejected: z.number().nullable(),
      leftOutClasses: z
        .array(z.looseObject({ label: z.string(), auroc: z.number(), rejected: z.number() }))
        .exactOptional(),
      validated: z.looseObject({
        split: z.enum(SPLITS),
        images: z.number(),
        rejected: z.number(),
        share: number,
        interval,
        chance: z.number().exactOptional(),
        accuracyOfAnswered: z.number().nullable(),
      }),
    })
    .nullable(),
});

/** The effect of views, as ViewsBenefit. */
const views = z.looseObject({
  count: z.number(),
  accuracyWithout: z.number(),
  difference: z.number(),
  interval,
  pValue: z.number(),
  // Not in what older versions wrote.
  onlyWith: z.number().optional(),
  onlyWithout: z.number().optional(),
});

/** Those fields that a report reads; others may come and go between versions. */
const schema = z.looseObject({
  dataset: z.string(),
  extracted: z.number(),
  reused: z.number(),
  options: parameters.optional(),
  seconds: z.looseObject({ load: z.number(), extract: z.number(), train: z.number().optional() }),
  heads: z.array(
    z.looseObject({
      name: z.string(),
      pooling: z.string(),
      // Of stores with several networks.
      backbone: z.string().exactOptional(),
      normalize: z.string(),
      params: parameters,
      changed: parameters,
      accuracy: z.number(),
      interval,
      balancedAccuracy: number,
      logLoss: number,
      fitMs: z.number(),
      predictMs: z.number(),
      converged: z.boolean(),
      iterations: z.number(),
      learningCurve: z
        .looseObject({ loss: curve, accuracy: curve, valLoss: curve.optional(), valAccuracy: curve.optional() })
        .optional(),
      // Not in what older versions wrote.
      comparison: z
        .looseObject({
          pValue: z.number(),
          adjusted: z.number().optional(),
          test: z.enum(['mcnemar', 'class-weighted-mcnemar', 'paired-t']).optional(),
          toldApart: z.boolean(),
        })
        .optional(),
      notes: z.array(z.string()),
      crossValidated: z
        .looseObject({
          accuracy: z.number(),
          interval,
          logLoss: number,
          images: z.number(),
          folds: z.number(),
          ofFolds: z.number(),
        })
        .exactOptional(),
      temperature: z.number().exactOptional(),
      reject: reject.optional(),
      views: views.optional(),
      trained: z.number(),
      validated: z.number(),
      validatedOn: z.enum(SPLITS),
      leftOut: z.number().optional(),
      accuracyWithLeftOut: z.number().optional(),
      unlearned: z.array(z.string()).optional(),
      test: z
        .union([
          z.looseObject({
            split: z.enum(SPLITS),
            images: z.number(),
            leftOut: z.number(),
            accuracy: z.number(),
            interval,
            balancedAccuracy: number,
            logLoss: number,
            unlearned: z.array(z.string()),
            looks: z.looseObject({ heads: z.number(), isComplete: z.boolean() }).optional(),
          }),
          z.looseObject({ missing: z.string() }),
        ])
        .optional(),
      // Not in what older versions wrote.
      looks: z.looseObject({ heads: z.number(), isComplete: z.boolean() }).optional(),
      file: z.string().nullable(),
    }),
  ),
  choice: z
    .looseObject({ by: z.enum(['crossValidation', 'validation']), reason: z.string().nullable() })
    .exactOptional(),
  skipped: z.array(z.looseObject({ name: z.string(), reason: z.string() })),
  // Of runs that were asked for them.
  strategies: strategiesSchema.exactOptional(),
});

/** What the last run of a store reported, or why there is none. Throws STORE_CORRUPT for a damaged file. */
export async function pastRun(store: string): Promise<OrReason<RunResult>> {
  const path = join(store, RESULTS_NAME);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new PermafrostError('STORE_CORRUPT', `${path} cannot be read: ${reasonOf(cause)}.`, { cause });
    return {
      missing:
        'No heads were compared on this store yet: "permafrost run" on the data set does, and extracts nothing again.',
    };
  }
  const damaged = (what: string, cause?: unknown): PermafrostError =>
    new PermafrostError(
      'STORE_CORRUPT',
      `${path} is damaged or of another version: ${what}. Remove it, or run "permafrost run" on the data set again.`,
      { cause },
    );
  const problem = await sealedProblem(path);
  if (problem !== undefined) throw damaged(problem);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(`it is no JSON (${reasonOf(cause)})`, cause);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw damaged(`${issue!.path.join('.') || 'document'}: ${issue!.message}`);
  }
  return parsed.data as unknown as RunResult;
}

/** The file of a head that a run saved, also where the store was moved since; a reason where it is gone. */
export function savedHead(store: string, head: HeadResult | undefined): OrReason<{ readonly path: string }> {
  if (head === undefined || head.file === null) return { missing: 'The last run saved no head.' };
  const moved = join(store, 'heads', basename(head.file.replaceAll('\\', '/')));
  const path = [head.file, moved].find((file) => existsSync(file));
  return path === undefined
    ? { missing: `The best head's file ${head.file} is gone: run "permafrost run" on the data set again.` }
    : { path };
}

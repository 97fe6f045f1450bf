import * as z from 'zod';

/** What the service says, as values: types of its answers, checks of its questions, and the OpenAPI document. */

const neighbor = z
  .object({
    id: z.string(),
    path: z.string(),
    label: z.string(),
    split: z.enum(['train', 'val', 'test']),
    distance: z.number().meta({ description: '1 - cosine' }),
  })
  .meta({ description: 'A training image near to the one that was sent.' });

const answer = z.object({
  label: z.string().meta({ description: 'The likeliest class, also where the image is unknown.' }),
  probability: z.number().meta({ description: 'Of that class.' }),
  unknown: z
    .boolean()
    .meta({ description: 'Whether the image is so strange to the head that it may be of no class that it knows.' }),
  strangeness: z
    .object({
      measure: z.string(),
      value: z.number(),
      threshold: z.number().meta({ description: 'Above it an image is unknown.' }),
      rate: z
        .number()
        .meta({ description: 'The share of images of known classes that lie above it, at most and on average.' }),
      lessStrange: z.number().nullable().meta({
        description: 'The share of the training images that are less strange; null for heads of older versions.',
      }),
    })
    .nullable()
    .meta({ description: 'How strange the image is; null for heads without a rule for "unknown".' }),
  top: z
    .array(z.object({ label: z.string(), probability: z.number() }))
    .meta({ description: 'The likeliest classes, as many as `top` asks for, the likeliest first.' }),
  neighbors: z.array(neighbor).meta({ description: 'As many as `neighbors` asks for, the nearest first.' }),
});

const fault = z.object({
  code: z.string().meta({ description: 'Stable: programs may test it.' }),
  message: z.string().meta({ description: 'What was found, what was expected, what to do.' }),
});

const one = answer.extend({ head: z.string().meta({ description: 'The name of the head that answered.' }) });
const named = z.object({ name: z.string().meta({ description: 'The file name that was sent, else its number.' }) });
const many = z.object({
  head: z.string(),
  answers: z
    .array(z.union([named.extend(answer.shape), named.extend({ error: fault })]))
    .meta({ description: 'One for each image, in the order of the form.' }),
  failed: z.int().meta({ description: 'How many of them have an error in place of an answer.' }),
});

const network = z.object({
  backbone: z.string(),
  contract: z.string().meta({ description: 'How an image becomes what the network reads.' }),
  engine: z.object({ name: z.string(), device: z.string(), precision: z.string() }),
});
const head = network.extend({
  name: z.string(),
  head: z.string().meta({ description: 'The kind of head, such as logistic.' }),
  digest: z.string().meta({ description: 'SHA-256 of the head file.' }),
  classes: z.array(z.string()),
  cut: z.string(),
  pooling: z.string(),
  others: z.array(network).meta({ description: 'Further networks, where the head reads several.' }),
  unknown: z.object({ measure: z.string(), threshold: z.number() }).nullable(),
});

/** The answers by name, as they stand in the OpenAPI document. */
export const ANSWERS = {
  PredictOne: one,
  PredictMany: many,
  Head: head,
  Heads: z.object({ heads: z.array(head).meta({ description: 'The first answers where none is named.' }) }),
  Health: z.object({ status: z.literal('ok'), permafrost: z.string() }),
  Ready: z.object({ status: z.enum(['ready', 'starting', 'stopping']) }),
  Fault: z.object({ error: fault }),
} as const;

export type PredictOne = z.infer<typeof ANSWERS.PredictOne>;
export type PredictMany = z.infer<typeof ANSWERS.PredictMany>;
export type ServedAnswer = z.infer<typeof answer>;
export type Ready = z.infer<typeof ANSWERS.Ready>;
export type Fault = z.infer<typeof ANSWERS.Fault>;

/** What `/predict` takes in its address. */
export const QUESTION = z.strictObject({
  head: z.string().optional().meta({ description: 'The name of the head; left out: the first.' }),
  top: z.coerce
    .number()
    .int()
    .min(0)
    .default(5)
    .meta({ description: 'How many of the likeliest classes to list; 0: all.' }),
  neighbors: z.coerce
    .number()
    .int()
    .min(0)
    .max(100)
    .default(0)
    .meta({ description: 'How many of the nearest training images to list.' }),
});
export type Question = z.infer<typeof QUESTION>;

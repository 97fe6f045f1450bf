import * as z from 'zod';
import { without } from '../core/options.ts';
import { VERSION } from '../workflows/version.ts';
import { ANSWERS, QUESTION } from './api.ts';

type Json = Readonly<Record<string, unknown>>;

/** A JSON schema as it stands inside a document, which says once which dialect all are of. */
function schemaOf(type: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  return without(z.toJSONSchema(type, { io }), '$schema');
}

const json = (name: keyof typeof ANSWERS, description: string): Json => ({
  description,
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
});

const pathName = { name: 'name', in: 'path', required: true, schema: { type: 'string' } };

/** The parameters of a question, from its check. */
function parameters(question: z.ZodObject): Json[] {
  const { properties = {} } = schemaOf(question, 'input') as { properties?: Record<string, Json> };
  return Object.entries(question.shape).map(([name, type]) => {
    const { description, ...schema } = { ...properties[name], ...schemaOf(type as z.ZodType, 'output') } as Json;
    return { name, in: 'query', description, schema };
  });
}

const bytes = { schema: { type: 'string', format: 'binary' } };
const IMAGES = {
  required: true,
  description: 'The bytes of one image, or a form of many.',
  content: {
    'image/*': bytes,
    'application/octet-stream': bytes,
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: { image: { type: 'array', items: { type: 'string', format: 'binary' } } },
      },
    },
  },
};

const refusals = (named: Readonly<Record<number, string>>): Json =>
  Object.fromEntries(Object.entries(named).map(([status, why]) => [status, json('Fault', why)]));

const TOKEN = { 401: 'The token is missing or wrong.' };

const predict = (parameters: readonly Json[]): Json => ({
  summary: 'Classify one image, or many',
  parameters,
  requestBody: IMAGES,
  responses: {
    200: {
      description: 'PredictOne for one image as the body, PredictMany for a form.',
      content: {
        'application/json': {
          schema: {
            oneOf: [{ $ref: '#/components/schemas/PredictOne' }, { $ref: '#/components/schemas/PredictMany' }],
          },
        },
      },
    },
    422: {
      description:
        'Not an image, or a damaged one: a fault. Of a form: PredictMany, where none of its images could be read.',
      content: {
        'application/json': {
          schema: { oneOf: [{ $ref: '#/components/schemas/Fault' }, { $ref: '#/components/schemas/PredictMany' }] },
        },
      },
    },
    ...refusals({
      400: 'The address or the form is wrong.',
      ...TOKEN,
      404: 'There is no such head.',
      408: 'Nothing came of the body for half a minute.',
      413: 'The body is too large, or the form has too many images.',
      415: 'The body is neither an image nor a form.',
      429: 'Too many images wait. Retry-After says in how many seconds to come again.',
      503: 'The networks are still being loaded.',
    }),
  },
});

/** Told without the token. */
const open = { security: [] };

/** The service as OpenAPI 3.1, made of what checks its questions and types its answers. */
export function openApi(): Json {
  const [head, ...others] = parameters(QUESTION);
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'permafrost serve',
      version: VERSION,
      description: 'Classifies images with heads on a frozen network.',
    },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths: {
      '/predict': { post: { operationId: 'predict', ...predict([head!, ...others]) } },
      '/heads/{name}/predict': { post: { operationId: 'predictWithHead', ...predict([pathName, ...others]) } },
      '/heads': {
        get: {
          operationId: 'heads',
          summary: 'The heads that answer',
          responses: { 200: json('Heads', 'All of them.'), ...refusals(TOKEN) },
        },
      },
      '/heads/{name}': {
        get: {
          operationId: 'head',
          summary: 'One head',
          parameters: [pathName],
          responses: { 200: json('Head', 'Its facts.'), ...refusals({ ...TOKEN, 404: 'There is no such head.' }) },
        },
      },
      '/healthz': {
        get: {
          operationId: 'healthz',
          summary: 'Whether the process lives',
          ...open,
          responses: { 200: json('Health', 'It does.') },
        },
      },
      '/readyz': {
        get: {
          operationId: 'readyz',
          summary: 'Whether it answers images',
          ...open,
          responses: { 200: json('Ready', 'It does.'), 503: json('Ready', 'It is starting or stopping.') },
        },
      },
      '/metrics': {
        get: {
          operationId: 'metrics',
          summary: 'Figures for Prometheus',
          responses: {
            200: { description: 'Text format 0.0.4.', content: { 'text/plain': { schema: { type: 'string' } } } },
            ...refusals(TOKEN),
          },
        },
      },
    },
    components: {
      schemas: Object.fromEntries(Object.entries(ANSWERS).map(([name, type]) => [name, schemaOf(type)])),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

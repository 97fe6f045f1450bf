import { readFileSync } from 'node:fs';
import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv';

const FOLDER = new URL('../../docs/schema/', import.meta.url);
const ajv = new Ajv({ strict: false, allErrors: true });
const validators = new Map<string, ValidateFunction>();

/** The schema, where an object has the fields that are listed and no other: what no type tells of is a mistake here. */
function closed<T>(schema: T): T {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed) as T;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isOpen = 'properties' in inner && typeof inner['type'] === 'string' && !('additionalProperties' in inner);
  return (isOpen ? { ...inner, additionalProperties: false } : inner) as T;
}

function validatorOf(name: string): ValidateFunction {
  const known = validators.get(name);
  if (known !== undefined) return known;
  const schema = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as AnySchemaObject;
  const made = ajv.compile(closed(schema));
  validators.set(name, made);
  return made;
}

/** The documents of a command's stdout: one, or one a line. */
function parse(stdout: string): unknown[] {
  try {
    return [JSON.parse(stdout)];
  } catch {
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }
}

/**
 * What `permafrost <command> --json` printed on stdout, each document checked: it is the command's or an error, as
 * docs/schema says, and has no field that stands not there. Throws what is wrong.
 */
export function checkedDocuments(command: string, stdout: string): unknown[] {
  const documents = stdout === '' ? [] : parse(stdout);
  for (const document of documents) {
    const { schema } = document as { schema?: unknown };
    const name = /^permafrost\/(\w+)\/\d+$/.exec(String(schema))?.[1];
    if (name !== command && name !== 'error')
      throw new Error(`A document of ${command} says schema ${JSON.stringify(schema)}.`);
    const isValid = validatorOf(name);
    if (isValid(document)) continue;
    const wrong = isValid.errors!.map(({ instancePath, message, params }) =>
      [instancePath || '/', message, JSON.stringify(params)].join(' '),
    );
    throw new Error(`A document of ${command} is not what docs/schema/${name}.json says:\n${wrong.join('\n')}`);
  }
  return documents;
}

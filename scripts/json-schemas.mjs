// @ts-check
/*
 * Writes docs/schema: a JSON schema (draft 7) of what each command prints with --json, made from the types in
 * src/results. It reads dist/, which `npm run docs:schema` brings up to date. With --check it writes nothing, names the
 * files that are not what it would write, and fails where there are some.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { createGenerator } from 'ts-json-schema-generator';
import { schemaOf } from '../dist/cli/documents.js';

/** @typedef {import('ts-json-schema-generator').Schema} Schema */

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const FOLDER = 'docs/schema';

/** @param {string} type @returns {Schema} */
const schemaOfType = (type) =>
  createGenerator({
    path: 'src/results/documents.ts',
    tsconfig: 'tsconfig.json',
    type,
    expose: 'export',
    // Later versions may have more fields: a reader must not fail for them.
    additionalProperties: true,
    encodeRefs: false,
    skipTypeCheck: true,
  }).createSchema(type);

const REF = '#/definitions/';

/**
 * The schema that `schema` refers to, if it does.
 * @param {Schema} schema
 * @param {Readonly<Record<string, unknown>>} definitions
 * @returns {Schema}
 */
function resolved(schema, definitions) {
  return schema.$ref === undefined
    ? schema
    : resolved(/** @type {Schema} */ (definitions[schema.$ref.slice(REF.length)]), definitions);
}

/**
 * The kinds of documents that a type has: itself, or the members of a union.
 * @param {Schema} schema
 * @param {Readonly<Record<string, unknown>>} definitions
 * @returns {Schema[]}
 */
function kindsOf(schema, definitions) {
  const found = resolved(schema, definitions);
  return found.anyOf === undefined
    ? [found]
    : found.anyOf.flatMap((kind) => kindsOf(/** @type {Schema} */ (kind), definitions));
}

/**
 * Adds to `needed` the names of all definitions that `value` refers to, and those that these refer to.
 * @param {unknown} value
 * @param {Readonly<Record<string, unknown>>} definitions
 * @param {Set<string>} needed
 */
function collect(value, definitions, needed) {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key !== '$ref' || typeof inner !== 'string') collect(inner, definitions, needed);
    else if (!needed.has(inner.slice(REF.length))) {
      needed.add(inner.slice(REF.length));
      collect(definitions[inner.slice(REF.length)], definitions, needed);
    }
  }
}

/**
 * The schema of a command's documents, each of which says in its field `schema` what it is.
 * @param {Parameters<typeof schemaOf>[0]} name
 * @param {Schema} type
 * @param {Readonly<Record<string, unknown>>} definitions
 */
function documentSchema(name, type, definitions) {
  const kinds = kindsOf(type, definitions).map(({ properties, required = [], ...rest }) => ({
    ...rest,
    properties: { schema: { const: schemaOf(name) }, ...properties },
    required: ['schema', ...required],
  }));
  /** @type {Set<string>} */
  const needed = new Set();
  collect(kinds, definitions, needed);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: schemaOf(name),
    ...(kinds.length === 1 ? kinds[0] : { anyOf: kinds }),
    ...(needed.size > 0 && {
      definitions: Object.fromEntries([...needed].sort().map((key) => [key, definitions[key]])),
    }),
  };
}

const all = schemaOfType('Documents');
const definitions = all.definitions ?? {};
const commands = /** @type {Readonly<Record<string, Schema>>} */ (resolved(all, definitions).properties);
const failure = schemaOfType('ErrorDocument');
const texts = new Map();
for (const [name, type, known] of [
  ...Object.entries(commands).map(([name, type]) => /** @type {const} */ ([name, type, definitions])),
  /** @type {const} */ (['error', failure, failure.definitions ?? {}]),
]) {
  const schema = documentSchema(/** @type {Parameters<typeof schemaOf>[0]} */ (name), type, known);
  const options = { ...(await prettier.resolveConfig('package.json')), parser: 'json' };
  texts.set(`${name}.json`, await prettier.format(JSON.stringify(schema), options));
}

mkdirSync(FOLDER, { recursive: true });
const there = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]));
const stale = [...new Set([...texts.keys(), ...there.keys()])].filter((name) => texts.get(name) !== there.get(name));
if (process.argv.includes('--check')) {
  for (const name of stale) process.stderr.write(`${FOLDER}/${name} is stale: run "npm run docs:schema".\n`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const name of stale)
    if (texts.has(name)) writeFileSync(join(FOLDER, name), texts.get(name));
    else rmSync(join(FOLDER, name));
}

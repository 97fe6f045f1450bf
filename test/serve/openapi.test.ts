import { describe, expect, it } from 'vitest';
import { REFUSALS } from '../../src/serve/refusal.ts';
import { openApi } from '../../src/serve/openapi.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly responses: Readonly<Record<string, object>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const document = JSON.parse(JSON.stringify(openApi())) as Document;
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

/** Every value of a key, wherever it stands. */
function all(key: string, within: unknown): unknown[] {
  if (typeof within !== 'object' || within === null) return [];
  return Object.entries(within).flatMap(([name, value]: [string, unknown]) => [
    ...(name === key ? [value] : []),
    ...all(key, value),
  ]);
}

describe('the OpenAPI document', () => {
  it('is of version 3.1, with an id of its own for each operation', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('predict');
  });

  it('refers to schemas that it has, and to each of them', () => {
    const used = new Set(all('$ref', document));
    const there = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...used].sort()).toEqual(there.sort());
    expect(all('$schema', document)).toEqual([]);
  });

  it('has the parameters of the check, with their bounds and defaults', () => {
    const { parameters } = document.paths['/predict']!['post']!;
    expect(parameters).toMatchObject([
      { name: 'head', in: 'query', schema: { type: 'string' } },
      { name: 'top', in: 'query', schema: { type: 'integer', minimum: 0, default: 5 } },
      { name: 'neighbors', in: 'query', schema: { type: 'integer', minimum: 0, maximum: 100, default: 0 } },
    ]);
    const named = document.paths['/heads/{name}/predict']!['post']!.parameters!.map(({ name }) => name);
    expect(named).toEqual(['name', 'top', 'neighbors']);
  });

  it('tells of every status that an image may be refused with', () => {
    const statuses = Object.keys(document.paths['/predict']!['post']!.responses);
    const refusing = Object.keys(REFUSALS).filter((status) => !['403', '405'].includes(status));
    expect(statuses).toEqual(expect.arrayContaining([...refusing, '200', '422']));
  });
});

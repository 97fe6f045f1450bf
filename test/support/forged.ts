import * as fc from 'fast-check';

/** A change of a JSON document: at a place (picked by number), to something that the program did not write. */
export interface Forgery {
  readonly place: number;
  readonly change: 'remove' | 'replace' | 'add' | 'twice';
  /** Of STRANGE, by its number. */
  readonly strange: number;
}

const deep = (depth: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};

/** Values of other types, huge, negative, deep, and names that mean something to JavaScript. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  1e308,
  2 ** 53 - 1,
  '',
  'x'.repeat(100_000),
  '../../etc/passwd',
  '\ud800',
  [],
  {},
  [[]],
  deep(1_000),
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "toString": null}'),
];

export const forgeries: fc.Arbitrary<Forgery> = fc.record({
  place: fc.nat(100_000),
  change: fc.constantFrom('remove', 'replace', 'replace', 'add', 'twice'),
  strange: fc.nat(STRANGE.length - 1),
});

interface Place {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string;
}

function placesIn(value: unknown): Place[] {
  if (value === null || typeof value !== 'object') return [];
  const parent = value as Record<string, unknown>;
  return Object.keys(parent).flatMap((key) => [{ parent, key }, ...placesIn(parent[key])]);
}

/** A copy of a document with one thing changed. */
export function forged<T>(document: T, { place, change, strange }: Forgery): T {
  const value = STRANGE[strange];
  const copy = structuredClone(document);
  const places = placesIn(copy);
  const { parent, key } = places[place % places.length]!;
  if (Array.isArray(parent)) {
    const at = Number(key);
    if (change === 'remove') parent.splice(at, 1);
    else if (change === 'replace') parent[at] = value;
    else parent.splice(at, 0, change === 'add' ? value : parent[at]);
  } else if (change === 'remove') delete parent[key];
  else if (change === 'replace') parent[key] = value;
  else Object.defineProperty(parent, change === 'add' ? '__proto__' : `${key} `, { value, enumerable: true });
  return copy;
}

// @ts-check
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of one machine: when its images were written. */
const OWN = ['file-times.safetensors'];

/** Names of the files in a store that both ways of making it must agree in. @param {string} store */
const namesIn = (store) =>
  readdirSync(store, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !OWN.includes(entry.name))
    .map(({ name }) => name)
    .sort();

/** Throws where two stores are not the same, byte by byte. @param {string} a @param {string} b */
export function sameFiles(a, b) {
  const names = namesIn(a);
  if (JSON.stringify(names) !== JSON.stringify(namesIn(b)))
    throw new Error(`${a} has ${names.join(', ')}; ${b} has ${namesIn(b).join(', ')}`);
  const other = names.filter((name) => !readFileSync(join(a, name)).equals(readFileSync(join(b, name))));
  if (other.length > 0) throw new Error(`${other.join(', ')} differ between ${a} and ${b}`);
}

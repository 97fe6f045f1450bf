import { few, PermafrostError } from '../../../core/errors.ts';
import { labelOf } from '../labels.ts';
import type { Side } from './side-files.ts';

const refuse = (message: string): never => {
  throw new PermafrostError('DATASET_LAYOUT', message);
};

/** The class of one sample as it is written: a name, a number, or both. */
export interface WrittenClass {
  readonly name: string | undefined;
  readonly index: number | undefined;
}

/** The names of the classes 0, 1, ..., and the file that gives them. */
export interface ClassNames {
  readonly from: string;
  readonly list: readonly string[];
}

/**
 * What all that names the class of one sample says together; undefined where nothing does, or only a negative number,
 * which means "not known". Throws DATASET_LAYOUT where two names, or two numbers, differ.
 */
export function writtenClass(place: string, classes: Side['classes']): WrittenClass | undefined {
  const given = classes.filter(({ value }) => typeof value === 'string' || value >= 0);
  const one = <T>(values: readonly { readonly from: string; readonly value: T }[]): T | undefined => {
    const other = values.find(({ value }) => value !== values[0]!.value);
    if (other !== undefined)
      refuse(
        `${place}: ${values[0]!.from} says ${JSON.stringify(values[0]!.value)}, ${other.from} says ${JSON.stringify(other.value)}. Give each image one class.`,
      );
    return values[0]?.value;
  };
  const names = given.flatMap(({ from, value }) =>
    typeof value === 'string' ? [{ from, value: labelOf(value) }] : [],
  );
  const numbers = given.flatMap(({ from, value }) => (typeof value === 'number' ? [{ from, value }] : []));
  const fraction = numbers.find(({ value }) => !Number.isSafeInteger(value));
  if (fraction !== undefined) refuse(`${place}: ${fraction.from} is ${fraction.value}, which is no class.`);
  const [name, index] = [one(names), one(numbers)];
  return name === undefined && index === undefined ? undefined : { name, index };
}

/**
 * The names of all classes: numbers get theirs from samples that have both, or from `names`, one a number. Throws
 * DATASET_LAYOUT where a number has two names, a name two numbers, or `names` ends before a number.
 */
export function namedClasses(
  where: string,
  written: Iterable<WrittenClass>,
  names: ClassNames | undefined,
): { label: (of: WrittenClass) => string; warnings: string[] } {
  const nameOf = new Map<number, string>();
  const indexOf = new Map<string, number>();
  const bare = new Set<number>();
  const pair = (index: number, name: string): void => {
    const [otherName, otherIndex] = [nameOf.get(index), indexOf.get(name)];
    if (otherName !== undefined && otherName !== name)
      refuse(`${where}: the class ${index} is called ${otherName} in one place and ${name} in another.`);
    if (otherIndex !== undefined && otherIndex !== index)
      refuse(`${where}: ${name} is the class ${otherIndex} in one place and ${index} in another.`);
    nameOf.set(index, name);
    indexOf.set(name, index);
  };
  const listed = names?.list.map(labelOf) ?? [];
  const same = new Set(listed.filter((name, i) => listed.indexOf(name) !== i));
  for (const [i, name] of listed.entries()) pair(i, same.has(name) ? `${name} (${i})` : name);
  const own = new Set<string>();
  for (const { name, index } of written) {
    if (name !== undefined) own.add(name);
    if (name !== undefined && index !== undefined) pair(index, name);
    else if (index !== undefined) bare.add(index);
  }
  const nameless = [...bare].filter((index) => !nameOf.has(index)).sort((a, b) => a - b);
  if (names !== undefined && nameless.length > 0)
    refuse(
      `${names.from} names ${names.list.length} classes, 0 to ${names.list.length - 1}, and ${where} has images of ${few(nameless.map(String))}. Add a line for each class.`,
    );
  if (nameless.length > 0 && own.size > 0)
    refuse(
      `${where}: some images have names as classes (${few([...own])}), others numbers that no name goes with (${few(nameless.map(String))}). Give all of them one of the two.`,
    );
  const warnings: string[] = [];
  // ImageNet has two cranes, a bird and a machine.
  if (same.size > 0)
    warnings.push(
      `${names!.from} gives several classes the same name; their numbers stand behind it: ${few([...same])}.`,
    );
  if (nameless.length > 0)
    warnings.push(
      `Classes are numbers without names: ${few(nameless.map(String), 10)}. To name them, put classnames.txt beside the archives: a name a line, from class 0 on.`,
    );
  return { label: ({ name, index }) => name ?? nameOf.get(index!) ?? String(index), warnings };
}

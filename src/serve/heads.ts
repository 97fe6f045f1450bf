import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { PermafrostError } from '../core/errors.ts';
import type { ServedHead } from '../results/serve-result.ts';
import { openClassifiers, type Classifier } from '../workflows/classifier/classifier.ts';
import type { ClassifierOptions } from '../workflows/classifier/options.ts';
import type { Work } from '../workflows/work.ts';

/** A head by its name, ready to answer. */
export interface OpenHead {
  readonly name: string;
  readonly classifier: Classifier;
}

/** A head that is to be served: its name, and the head file or store. */
export interface NamedSource {
  readonly name: string;
  readonly source: string;
}

const NAME = /^[A-Za-z0-9][\w.-]*$/;

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The name of a file or folder without its ending; what no name of a head may have becomes a hyphen. */
function nameOf(source: string): string {
  const plain = basename(source).replace(/\.(safetensors|permafrost)$/, '');
  return plain.replaceAll(/[^\w.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'head';
}

/**
 * The names of heads: of `NAME=PATH` the one that is given, else that of the file or store. Throws OPTION_INVALID where
 * two are equal, or one is no name.
 */
export async function namedSources(given: readonly string[]): Promise<NamedSource[]> {
  const named: NamedSource[] = [];
  for (const text of given) {
    const at = text.indexOf('=');
    const isNamed = at > 0 && NAME.test(text.slice(0, at)) && !(await isThere(text));
    const { name, source } = isNamed
      ? { name: text.slice(0, at), source: text.slice(at + 1) }
      : { name: nameOf(text), source: text };
    const other = named.find((one) => one.name === name);
    if (other !== undefined)
      throw new PermafrostError(
        'OPTION_INVALID',
        `serve: ${other.source} and ${source} are both named ${JSON.stringify(name)}. Name one of them, as in "other=${source}".`,
      );
    named.push({ name, source });
  }
  return named;
}

/** Opens heads, which share their networks; none stays open where one fails. Throws what openClassifier throws. */
export async function openHeads(
  sources: readonly NamedSource[],
  options: Partial<ClassifierOptions>,
  work: Work,
): Promise<OpenHead[]> {
  const classifiers = await openClassifiers(
    sources.map(({ source }) => source),
    options,
    work,
  );
  return sources.map(({ name }, i) => ({ name, classifier: classifiers[i]! }));
}

export async function closeHeads(heads: readonly OpenHead[]): Promise<void> {
  for (const { classifier } of heads) await classifier.close();
}

const engineOf = ({ name, device, precision }: Classifier['facts']['engine']): ServedHead['engine'] => ({
  name,
  device,
  precision,
});

/** What is told of a head over HTTP: no path of this machine. */
export function headFacts({ name, classifier }: OpenHead): ServedHead {
  const { head, digest, classes, backbone, cut, pooling, contract, engine, others, unknown } = classifier.facts;
  return {
    name,
    head,
    digest,
    classes,
    backbone,
    cut,
    pooling,
    contract,
    engine: engineOf(engine),
    others: others.map((one) => ({ ...one, engine: engineOf(one.engine) })),
    unknown,
  };
}

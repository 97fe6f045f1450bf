import * as z from 'zod';
import { canonicalJson } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { POOLING_CHOICES, type PoolingChoice } from '../../core/sample.ts';
import { suggest } from '../../core/suggest.ts';
import type { SweepConfiguration } from '../../results/sweep-result.ts';
import { planOf } from '../../classify/cross-validation/families.ts';
import { NORMALIZATIONS, type Normalization } from '../../classify/normalize.ts';
import { chosenFeatures } from '../network/cuts.ts';
import { DEFAULT_GRID, FEATURE_AXIS_NAMES } from './default-grid.ts';

const listOf = <T extends z.ZodType>(value: T) => z.union([value, z.array(value).min(1)]);

/** What is done to the features: axes of every head, unless the head's own entry says otherwise. */
const FEATURE_AXES = {
  cut: listOf(z.string()).optional(),
  pooling: listOf(z.enum(POOLING_CHOICES)).optional(),
  normalize: listOf(z.enum(NORMALIZATIONS)).optional(),
  pca: listOf(z.number().int().min(0)).optional(),
  views: listOf(z.number().int().min(0)).optional(),
};

const headSchema = z
  .object({ head: z.string(), ...FEATURE_AXES })
  .catchall(listOf(z.union([z.number(), z.string(), z.boolean()])));
const gridSchema = z.strictObject({ ...FEATURE_AXES, heads: z.array(headSchema).min(1).optional() });

/** One value, or several of which each is tried. */
export type OneOrMore<T> = T | readonly T[];

/** What is done to the features before heads learn from them. */
export interface SweepGridFeatures {
  /**
   * Cut layers side by side, as `train --cut` takes them. Default: the deepest that was extracted; where a store has
   * several networks, that of each and all of them side by side.
   */
  readonly cut?: OneOrMore<string> | undefined;
  /** Of the cuts that name no pooling of their own. Default `avg`. */
  readonly pooling?: OneOrMore<PoolingChoice> | undefined;
  /** Default `l2` and `standard`. */
  readonly normalize?: OneOrMore<Normalization> | undefined;
  /** Principal components, 0 for none. Default 0 and 64. */
  readonly pca?: OneOrMore<number> | undefined;
  /** Stored views of each training image to train on too. Default 0. */
  readonly views?: OneOrMore<number> | undefined;
}

/** One head of a grid: values of its options by their names (HeadOptions), and features of its own. */
export interface SweepGridHead extends SweepGridFeatures {
  readonly head: string;
  readonly [option: string]: OneOrMore<number> | OneOrMore<string> | OneOrMore<boolean> | undefined;
}

/** Every combination of the listed values is tried, each head on every kind of features. */
export interface SweepGrid extends SweepGridFeatures {
  /** Default: the heads of DEFAULT_GRID, 34 configurations with the features (docs/sweep.md). */
  readonly heads?: readonly SweepGridHead[] | undefined;
}

/** The features of a configuration, as trainingData takes them. Throws OPTION_INVALID for an unknown pooling. */
export const featuresOf = ({ cut, pooling }: Pick<SweepConfiguration, 'cut' | 'pooling'>) =>
  chosenFeatures(cut, pooling);

const asList = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];

/** Every combination of one value an axis, the last axis fastest. */
function combinations(axes: readonly (readonly [string, readonly unknown[]])[]): Readonly<Record<string, unknown>>[] {
  return axes.reduce<Readonly<Record<string, unknown>>[]>(
    (made, [key, values]) => made.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

/** Most configurations of a grid, equal ones included: a few lists of ten values are a million combinations. */
const MOST_CONFIGURATIONS = 20_000;

/**
 * The configurations of a grid, each once, in its order. Throws OPTION_INVALID, naming `source` and the place, for an
 * unknown key, head, option or value, and for more than 20,000 combinations.
 */
export function configurationsOf(grid: unknown, source: string): SweepConfiguration[] {
  const parsed = gridSchema.safeParse(grid);
  if (!parsed.success) throw wrong(source, parsed.error.issues);
  const { heads = DEFAULT_GRID.heads, ...axes } = parsed.data;
  const found = new Map<string, SweepConfiguration>();
  let asked = 0;
  for (const [at, { head, ...entry }] of heads.entries()) {
    const own = new Map<string, unknown>(Object.entries(entry));
    const features = FEATURE_AXIS_NAMES.map((name) => {
      const values = own.get(name) ?? axes[name] ?? DEFAULT_GRID[name];
      own.delete(name);
      return [name, asList(values)] as const;
    });
    asked += [...own.values(), ...features.map(([, values]) => values)].reduce<number>(
      (product, values) => product * asList(values).length,
      1,
    );
    if (asked > MOST_CONFIGURATIONS)
      throw new PermafrostError(
        'OPTION_INVALID',
        `${source} asks for ${asked} configurations or more, and ${MOST_CONFIGURATIONS} are the most that are swept at once. Leave out values, or sweep some heads after the others: what was found is kept.`,
      );
    const plans = combinations([...own].map(([name, values]) => [name, asList(values)])).map((options) =>
      namingPlace(`${source}, heads[${at}]`, () => planOf(head, options)),
    );
    for (const { cut, pooling, normalize, pca, views } of combinations(features)) {
      namingPlace(`${source}, cut`, () => featuresOf({ cut, pooling } as SweepConfiguration));
      for (const { name, params } of plans) {
        const one = { head: name, params, cut, pooling, normalize, pca, views } as SweepConfiguration;
        found.set(canonicalJson(one), one);
      }
    }
  }
  return [...found.values()];
}

function namingPlace<T>(place: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code !== 'OPTION_INVALID') throw error;
    throw new PermafrostError(error.code, `${place}: ${error.message}`, { cause: error });
  }
}

function wrong(source: string, issues: readonly z.core.$ZodIssue[]): PermafrostError {
  const known = Object.keys(gridSchema.shape);
  const lines = issues.map((issue) => {
    const place = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : String(part))).join('.');
    if (issue.code === 'unrecognized_keys') {
      const [key] = issue.keys;
      return `there is no key "${key}"${suggest(key!, known)}; keys are ${known.join(', ')}, and the options of a head stand in its entry of heads`;
    }
    if (issue.code === 'invalid_union')
      return `${place.replaceAll('.[', '[')} holds no value that it takes${choicesOf(issue.path)}`;
    return `${place.replaceAll('.[', '[') || 'the grid'}: ${issue.message}`;
  });
  return new PermafrostError('OPTION_INVALID', `${source}: ${lines.join('; ')}.`);
}

function choicesOf(path: readonly PropertyKey[]): string {
  switch (path.at(-1)) {
    case 'cut':
      return ': one or a list of texts such as block4_pool';
    case 'pooling':
      return `: one or a list of ${POOLING_CHOICES.join(', ')}`;
    case 'normalize':
      return `: one or a list of ${NORMALIZATIONS.join(', ')}`;
    case 'pca':
    case 'views':
      return ': one or a list of integers >= 0';
    default:
      return ': one or a list of numbers, texts, true or false';
  }
}

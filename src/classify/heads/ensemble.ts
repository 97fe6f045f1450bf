import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { matrix, selectRows, type Matrix } from '../../core/matrix.ts';
import { integerOption, resolveOptions, stringOption, type OptionsOf } from '../../core/options.ts';
import { matrixRows, type Rows } from '../../core/rows.ts';
import { checkAborted, checkFinite, checkFit, checkLabels, checkPredict, requireMatrix } from '../checks.ts';
import type { FitContext, FittedHead, Head, HeadState, PreparedFit } from '../head.ts';
import { imagesOfRows } from '../network/images-of-rows.ts';
import { scaledAcross, temperatureOf } from '../out-of-fold/fold-temperatures.ts';
import { outOfFold, trainingFolds, type OutOfFold } from '../out-of-fold/out-of-fold.ts';
import { readMembers, type MakeHead } from './ensemble-members.ts';
import { ensembleWeights } from './ensemble-weights.ts';
import { factsOf, stateOf, type FittedFacts } from './fitted-state.ts';
import { scaledHead } from './scaled-head.ts';

const NAME = 'ensemble';

/** Options of the head `ensemble`. */
export const ENSEMBLE_OPTIONS = {
  members: stringOption(
    'kernel-ridge alpha=0.03; lda',
    'heads that vote, with semicolons between them and their options as name=value',
  ),
  seed: integerOption(1, 'seed of the folds in which members are judged', { min: 0 }),
};

/** What an ensemble asks of the table of heads. */
export interface MemberTable {
  readonly make: MakeHead;
  /** The fitted head of a member's state. */
  readonly load: (name: string, state: HeadState) => Promise<FittedHead>;
  /** Whether a member's probabilities are scaled before they are votes. */
  readonly isScaled: (name: string) => boolean;
}

const IN_MEMORY_ONLY = 'its members are judged out of fold, on rows that are in memory';

/** A member's fits on some of the rows. */
interface MemberFits {
  readonly head: Head;
  readonly on: (rows: readonly number[]) => Promise<FittedHead>;
  readonly isShared: boolean;
}

/** A fitted member, its probabilities scaled, and its part of the vote. */
interface Member {
  readonly head: FittedHead;
  readonly weight: number;
}

/**
 * Heads vote with their probabilities: the weighted mean. Members are judged out of fold on the training rows (five
 * folds, the views of an image and equal rows in one): that gives those that are no likelihoods a temperature, and all
 * of them weights (`ensembleWeights`). Members with a weight are fitted on all rows. One that cannot be fitted is left
 * out, with a note. Throws OPTION_INVALID; `fit` throws FIT_INVALID where no member can be fitted.
 */
export function ensembleHead(table: MemberTable, options: Partial<OptionsOf<typeof ENSEMBLE_OPTIONS>> = {}): Head {
  const params = resolveOptions(`The head "${NAME}"`, ENSEMBLE_OPTIONS, options);
  const heads = readMembers(params.members, table.make);
  const self = { name: NAME, params };

  async function fitOn(
    X: Matrix,
    rows: readonly number[],
    y: readonly string[],
    prepared: readonly (PreparedFit | undefined)[],
    context: FitContext | undefined,
  ): Promise<FittedHead> {
    const fits = heads.map((head, i): MemberFits => {
      const shared = prepared[i];
      const own = (part: readonly number[]): number[] => part.map((at) => rows[at]!);
      const labels = (part: readonly number[]): string[] => part.map((at) => y[at]!);
      return {
        head,
        isShared: shared !== undefined,
        on: (part) =>
          shared
            ? shared(own(part), labels(part))
            : head.fit(matrixRows(selectRows(X, own(part))), labels(part), signalOf(context)),
      };
    });
    const images = await imagesOfRows(matrixRows(selectRows(X, rows)), context?.images);
    const found = await fitMembers(fits, { X, rows, y, images, seed: params.seed, context }, table.isScaled);
    return fittedEnsemble({ ...self, features: X.cols }, found.members, found.notes);
  }

  return {
    ...self,
    inMemoryOnly: IN_MEMORY_ONLY,
    holdsOut: true,
    bytesOf: (shape) => heads.reduce((sum, head) => sum + (head.bytesOf?.(shape) ?? 0), 0),
    async fit(given, y, context) {
      const X = requireMatrix(`The head "${NAME}"`, given, IN_MEMORY_ONLY);
      checkFit(X, y);
      return fitOn(X, Array.from(y.keys()), y, await preparedOf(X, context), context);
    },
    async prepare(X, context) {
      checkFinite(X);
      const prepared = await preparedOf(X, context);
      return async (rows, y) => {
        checkLabels({ rows: rows.length, cols: X.cols }, y);
        const images = context?.images && Int32Array.from(rows, (i) => context.images![i]!);
        return fitOn(X, rows, y, prepared, { ...signalOf(context), ...(images && { images }) });
      };
    },
  };

  async function preparedOf(X: Matrix, context?: FitContext): Promise<(PreparedFit | undefined)[]> {
    const prepared: (PreparedFit | undefined)[] = [];
    for (const head of heads) prepared.push(await head.prepare?.(X, signalOf(context)));
    return prepared;
  }
}

const signalOf = (context: FitContext | undefined): FitContext => (context?.signal ? { signal: context.signal } : {});

interface MemberData {
  readonly X: Matrix;
  readonly rows: readonly number[];
  readonly y: readonly string[];
  readonly images: Int32Array;
  readonly seed: number;
  readonly context: FitContext | undefined;
}

/** Judges the members, weighs them, and fits those that have a weight. */
async function fitMembers(
  all: readonly MemberFits[],
  { X, rows, y, images, seed, context }: MemberData,
  isScaled: MemberTable['isScaled'],
): Promise<{ readonly members: Member[]; readonly notes: string[] }> {
  const digits = String(rows.length).length;
  const keys = rows.map((_, i) => String(i).padStart(digits, '0'));
  const folds = trainingFolds(y, { keys, groups: Array.from(images, String), seed });
  const notes: string[] = [];
  const judged: { readonly fits: MemberFits; readonly found: OutOfFold | undefined }[] = [];
  for (const fits of all) {
    checkAborted(context);
    const member = {
      labels: y,
      shared: fits.isShared,
      on: async (part: readonly number[]) => ({
        head: await fits.on(part),
        seen: (some: readonly number[]) =>
          selectRows(
            X,
            some.map((at) => rows[at]!),
          ),
      }),
    };
    try {
      judged.push({ fits, found: folds.length > 0 ? await outOfFold(member, folds, { context }) : undefined });
    } catch (error) {
      if (!(error instanceof PermafrostError && ['FIT_INVALID', 'PACKAGE_MISSING'].includes(error.code))) throw error;
      notes.push(`${fits.head.name} is left out: ${reasonOf(error)}`);
    }
  }
  if (judged.length === 0) throw new PermafrostError('FIT_INVALID', `No member could be fitted: ${notes.join(' ')}`);
  const { temperatures, weights } = weighed(judged, isScaled);
  if (folds.length === 0) notes.push('no row could be held out: all members have the same weight, unscaled');
  const members: Member[] = [];
  const whole = Array.from(rows.keys());
  for (const [i, { fits }] of judged.entries()) {
    if (weights[i]! > 0) members.push({ head: scaledHead(await fits.on(whole), temperatures[i]), weight: weights[i]! });
  }
  notes.push(`votes: ${judged.map(({ fits }, i) => `${fits.head.name} ${weights[i]!.toFixed(2)}`).join(', ')}`);
  return { members, notes };
}

/** Of each judged member the temperature, where it has one, and the weight. */
function weighed(
  judged: readonly { readonly fits: MemberFits; readonly found: OutOfFold | undefined }[],
  isScaled: MemberTable['isScaled'],
): { readonly temperatures: readonly (number | undefined)[]; readonly weights: readonly number[] } {
  const founds = judged.flatMap(({ found }) => found ?? []);
  if (founds.length === 0)
    return { temperatures: judged.map(() => undefined), weights: judged.map(() => 1 / judged.length) };
  const temperatures = judged.map(({ fits }, i) => (isScaled(fits.head.name) ? temperatureOf(founds[i]!) : undefined));
  const answers = founds.map(({ truth, P, folds, leastShare }, i) => {
    if (temperatures[i] === undefined) return P;
    let next = 0;
    return scaledAcross(
      truth,
      P,
      folds.map(({ val }) => val.map(() => next++)),
      leastShare,
    );
  });
  return { temperatures, weights: ensembleWeights(founds[0]!.truth, answers) };
}

function fittedEnsemble(
  self: Pick<FittedFacts, 'name' | 'params' | 'features'>,
  members: readonly Member[],
  notes: readonly string[],
): FittedHead {
  const { classes } = members[0]!.head;
  const facts: FittedFacts = {
    ...self,
    classes,
    converged: members.every(({ head }) => head.converged),
    iterations: 0,
    notes,
  };
  return {
    ...facts,
    async predictProba(X) {
      checkPredict(`The head "${NAME}"`, X, facts.features);
      const P = matrix(X.rows, classes.length);
      for (const { head, weight } of members) {
        const { data } = await head.predictProba(X);
        for (let at = 0; at < data.length; at++) P.data[at]! += weight * data[at]!;
      }
      return P;
    },
    state: stateOf(
      facts,
      new Map(
        members.flatMap(({ head }, i) =>
          [...head.state.tensors].map(([name, tensor]) => [`${i}/${name}`, tensor] as const),
        ),
      ),
      {
        members: members.map(({ head, weight }) => ({
          name: head.name,
          weight,
          ...(head.temperature !== undefined && { temperature: head.temperature }),
          head: head.state.json,
        })),
      },
    ),
  };
}

interface StoredMember {
  readonly name: string;
  readonly weight: number;
  readonly temperature?: number;
  readonly head: HeadState['json'];
}

function isStoredMember(value: unknown): value is StoredMember {
  const { name, weight, temperature, head } = (value ?? {}) as Record<string, unknown>;
  const isPositive = (number: unknown): boolean => typeof number === 'number' && number > 0 && Number.isFinite(number);
  return (
    typeof name === 'string' &&
    name !== NAME &&
    isPositive(weight) &&
    (temperature === undefined || isPositive(temperature)) &&
    typeof head === 'object' &&
    head !== null
  );
}

/** The head in `state`. Throws HEAD_CORRUPT, and what loading a member throws. */
export async function loadEnsemble({ load }: MemberTable, state: HeadState, rows?: Rows): Promise<FittedHead> {
  const facts = factsOf(state);
  const { members: stored } = state.json;
  if (rows !== undefined || !Array.isArray(stored) || stored.length === 0 || !stored.every(isStoredMember))
    throw new PermafrostError('HEAD_CORRUPT', 'The stored ensemble lacks its members. Train it again.');
  const members: Member[] = [];
  for (const [i, { name, weight, temperature, head }] of stored.entries()) {
    const own = [...state.tensors].flatMap(([key, tensor]) =>
      key.startsWith(`${i}/`) ? [[key.slice(`${i}/`.length), tensor] as const] : [],
    );
    const fitted = await load(name, { json: head, tensors: new Map(own) });
    if (fitted.features !== facts.features || fitted.classes.join('\n') !== facts.classes.join('\n'))
      throw new PermafrostError(
        'HEAD_CORRUPT',
        `The stored ensemble has a member "${name}" of other features or classes. Train it again.`,
      );
    members.push({ head: scaledHead(fitted, temperature), weight });
  }
  return fittedEnsemble(facts, members, facts.notes);
}

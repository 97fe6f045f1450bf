import { selectRows, type Matrix } from '../../../core/matrix.ts';
import { integerOption, resolveOptions, stringOption, type OptionsOf } from '../../../core/options.ts';
import { matrixRows } from '../../../core/rows.ts';
import { checkFinite, checkFit, checkLabels, requireMatrix } from '../../checks.ts';
import type { FitContext, FittedHead, Head, PreparedFit } from '../../head.ts';
import { imagesOfRows } from '../../network/images-of-rows.ts';
import { fitMembers, type MemberFits } from './fit-members.ts';
import { fittedEnsemble } from './fitted-ensemble.ts';
import { readMembers, type MakeHead } from './members.ts';

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
  /** Whether a member's probabilities are scaled before they are votes. */
  readonly isScaled: (name: string) => boolean;
}

const IN_MEMORY_ONLY = 'its members are judged out of fold, on rows that are in memory';

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

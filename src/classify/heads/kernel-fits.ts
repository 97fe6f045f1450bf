import { type Matrix, selectRows } from '../../core/matrix.ts';
import { matrixRows, type Rows } from '../../core/rows.ts';
import { checkFinite, checkLabels } from '../checks.ts';
import type { FitContext, FittedHead, Head } from '../head.ts';
import { medianGamma } from '../kernels/gamma.ts';
import type { KernelTask } from '../kernels/kernel-ridge.ts';
import { type NystroemMap, nystroemMap } from '../kernels/nystroem.ts';
import { distancesOf, squaredDistances, type SquaredDistances } from '../kernels/squared-distances.ts';
import type { ClassWeight } from '../solvers/class-weights.ts';
import { ROWS_STAY } from './fitted-state.ts';
import { gammaNote, type KernelOptions, landmarksNote } from './kernel.ts';

/** Training rows of an exact fit: `rows` of the prepared ones, and all distances of those. */
export interface ExactRows {
  readonly distances: SquaredDistances;
  readonly rows: readonly number[];
  /** The same rows, as the fitted head keeps them. */
  readonly support: Rows;
}

/** The labels of a fit. */
export interface KernelLabels extends KernelTask {
  readonly names: readonly string[];
}

/** How a head is fitted, exactly and on landmarks; `notes` say what the landmarks are. */
export interface KernelSolvers {
  readonly exact: (on: ExactRows, labels: KernelLabels, context?: FitContext) => Promise<FittedHead>;
  readonly approximate: (
    map: NystroemMap,
    rows: Rows,
    labels: KernelLabels & { readonly labels: readonly string[] },
    notes: readonly string[],
    context?: FitContext,
  ) => Promise<FittedHead>;
}

/**
 * Fits of a kernel head: exact up to `exactRows`, with one matrix of distances for all parts of prepared rows, else on
 * landmarks. Rows in memory are copied into the head, rows in blocks stay where they are.
 */
export function kernelFits(
  options: KernelOptions & { readonly classWeight: ClassWeight },
  { exact, approximate }: KernelSolvers,
): Required<Pick<Head, 'fit' | 'prepare'>> {
  const labelsOf = (shape: { readonly rows: number; readonly cols: number }, y: readonly string[]) => {
    const { classes, indices } = checkLabels(shape, y);
    const { classWeight } = options;
    return { y: indices, names: classes, classes: classes.length, classWeight, labels: y };
  };

  async function fit(rows: Rows, y: readonly string[], context?: FitContext): Promise<FittedHead> {
    const labels = labelsOf(rows, y);
    if (rows.rows <= options.exactRows) {
      const distances = await squaredDistances(rows, context);
      // A copy: the caller may change a matrix later, a fitted head must not.
      const support = rows.matrix ? matrixRows({ ...rows.matrix, data: rows.matrix.data.slice() }) : rows;
      return exact({ distances, rows: everyRow(rows.rows), support }, labels, context);
    }
    const map = await nystroemMap(rows, options, context);
    const notes = [
      landmarksNote(map.Z.rows, map.sampled, rows.rows),
      ...(options.gamma === 'median' ? [gammaNote(map.gamma)] : []),
    ];
    return approximate(map, rows, labels, notes, context);
  }

  async function prepare(X: Matrix, context?: FitContext) {
    if (X.rows > options.exactRows) {
      checkFinite(X);
      return (rows: readonly number[], y: readonly string[]) => fit(matrixRows(selectRows(X, rows)), y, context);
    }
    const distances = await squaredDistances(matrixRows(X), context);
    return async (rows: readonly number[], y: readonly string[]) => {
      const labels = labelsOf({ rows: rows.length, cols: X.cols }, y);
      const images = context?.images && Int32Array.from(rows, (i) => context.images![i]!);
      const own = { ...context, ...(images && { images }) };
      return exact({ distances, rows, support: matrixRows(selectRows(X, rows)) }, labels, own);
    };
  }
  return { fit, prepare };
}

/** The width of the kernel on some rows; what is said of it, and of rows that stay where they are. */
export function widthOn(
  { distances, rows, support }: ExactRows,
  { gamma }: Pick<KernelOptions, 'gamma'>,
): { readonly gamma: number; readonly notes: readonly string[] } {
  const notes = support.matrix === undefined ? [ROWS_STAY] : [];
  if (gamma !== 'median') return { gamma, notes };
  const found = medianGamma(distances, rows);
  return { gamma: found, notes: [gammaNote(found), ...notes] };
}

/** The distances of an exact fit's own rows. */
export const ownDistances = ({ distances, rows }: ExactRows): SquaredDistances => distancesOf(distances, rows);

const everyRow = (rows: number): number[] => Array.from({ length: rows }, (_, i) => i);

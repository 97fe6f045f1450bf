import { PermafrostError } from '../../core/errors.ts';
import { type Matrix, row } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import type { HeadPlan } from './families.ts';
import type { FoldFeatures } from './fold-features.ts';

/** The images' classes. */
export interface Truth {
  /** Class index of each image, shape (n). */
  readonly y: Int32Array;
  readonly classes: readonly string[];
}

/** What a plan says of rows that it did not see, or why it could not be fitted. */
export type HeldOut =
  | {
      readonly plan: HeadPlan;
      /** Shape (n, classes). */
      readonly P: Matrix;
      readonly converged: boolean;
      /** The most of any fold. */
      readonly iterations: number;
    }
  | { readonly plan: HeadPlan; readonly problem: string };

/** A family's plans, and the class of each row of the features. */
export interface FamilyTask extends Truth {
  readonly plans: readonly HeadPlan[];
  readonly features: FoldFeatures;
  readonly context: FitContext | undefined;
}

/** Sets the rows that a fold holds out. */
export function setRows(P: Matrix, val: readonly number[], answers: Matrix): void {
  val.forEach((i, v) => row(P, i).set(row(answers, v)));
}

/** What keeps one plan from being fitted is a result; any other error ends the work. */
export function problemOf(error: unknown): { problem: string } {
  if (error instanceof PermafrostError && ['FIT_INVALID', 'PACKAGE_MISSING'].includes(error.code))
    return { problem: error.message };
  throw error;
}

import type { ErrorCode } from '../../../../core/errors.ts';
import type { UnitOutcome } from '../../unit-worker.ts';

/** What the process of the network is asked, one thing after the other; `stop` ends what it is at. */
export type NetworkOrder =
  | {
      readonly do: 'open';
      readonly plan: string;
      readonly root: string;
      readonly weights: string;
      readonly threads: number;
    }
  | {
      readonly do: 'extract';
      readonly unit: number;
      /** Images of the unit that become failures unseen, counted from 0 in it. */
      readonly crashed: readonly number[];
      /** Only these images, and nothing is published; null for all. */
      readonly only: readonly [from: number, to: number] | null;
    }
  /** How many units are not published yet. */
  | { readonly do: 'count-missing' }
  | { readonly do: 'stop' };

/** What it knows of the plan that it opened. */
export interface OpenedPlan {
  /** 16 hex digits. */
  readonly run: string;
  /** Images of each unit. */
  readonly units: readonly number[];
}

export type NetworkNews =
  | { readonly kind: 'open'; readonly opened: OpenedPlan }
  | { readonly kind: 'images'; readonly done: number; readonly of: number }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'outcome'; readonly outcome: UnitOutcome }
  | { readonly kind: 'missing'; readonly units: number }
  /** `code` is null for what is no PermafrostError. */
  | { readonly kind: 'failed'; readonly code: ErrorCode | null; readonly message: string; readonly stack: string };

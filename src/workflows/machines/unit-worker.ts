import type { Work } from '../work.ts';
import type { Plan } from './plan-file.ts';

/** What a worker is told beside the plan. */
export interface WorkerRequest {
  /** Where the images lie on this machine; by default where the plan says. */
  readonly root?: string | undefined;
}

/** How one unit is to be extracted. */
export interface UnitRequest {
  /** Stops between two batches; what was begun is dropped. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how many images of the unit are done, over all passes, of how many. */
  readonly onImages?: ((done: number, of: number) => void) | undefined;
  /**
   * Images of the unit, from and to (exclusive), counted from 0 in it, that are tried alone: nothing is published. For
   * finding the image that ends a process.
   */
  readonly only?: readonly [from: number, to: number] | undefined;
  /** Images of the unit, counted from 0 in it, that ended a process: each becomes the failure IMAGE_CRASHED. */
  readonly crashed?: readonly number[] | undefined;
}

/** What became of a unit. */
export interface UnitOutcome {
  readonly unit: number;
  /**
   * `made`: published by this call; `there`: it was published before; `lost-race`: another was first, and what was made
   * is dropped; `tried`: it was to be tried alone.
   */
  readonly outcome: 'made' | 'there' | 'lost-race' | 'tried';
  readonly images: number;
  /** Images of it that gave no features, over all passes; 0 where it was there. */
  readonly failures: number;
  readonly seconds: number;
}

/** A process that extracts units of a plan, with the network loaded. One unit at a time. */
export interface UnitWorker {
  readonly plan: Plan;
  /** Whether a unit is there, whoever made it. */
  isPublished(unit: number): Promise<boolean>;
  /** Images of a unit. */
  imagesOf(unit: number): number;
  /**
   * Extracts a unit and publishes it by one rename. Bad images are data. Throws INTERRUPTED (nothing is left of the
   * unit), STORE_WRITE, STORE_CORRUPT (a list that is not what was planned), ENGINE_FAILED.
   */
  extract(unit: number, request?: UnitRequest): Promise<UnitOutcome>;
  /** Frees the network. */
  close(): Promise<void>;
}

/**
 * Loads the network of the plan at `plan` (its folder) and checks that this machine gives what was planned: settings,
 * engine, device, precision and version, and the features of the probe. Throws FINGERPRINT_MISMATCH naming what
 * differs, PLAN_NOT_FOUND, ENGINE_UNAVAILABLE, all before any work.
 */
export type OpenUnitWorker = (plan: string, given: WorkerRequest, work: Work) => Promise<UnitWorker>;

import type { HeadFacts, StoreFacts } from '../api/studio-data.ts';

/** What every part of the page gets. */
export interface Shared {
  readonly facts: StoreFacts;
  readonly heads: readonly HeadFacts[];
  /** Ids of the heads that answer. */
  readonly chosen: readonly string[];
  /** Shows an image large; `among`: rows that the arrow keys step through. */
  readonly open: (row: number, among?: readonly number[]) => void;
  /** Reads facts and heads again. */
  readonly refresh: () => Promise<void>;
}

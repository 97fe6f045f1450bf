/** What a workflow tells while it works; it never prints. */
export interface Listener {
  /** A choice made for the user, a warning: one sentence. */
  note?(text: string): void;
  /** Called often, with what stands then. */
  progress?(state: Progress): void;
}

/** A listener that is told of which of several things each note is. */
export const notesOf = (name: string, listener: Listener): Listener => ({
  ...listener,
  note: (text) => listener.note?.(`${name}: ${text}`),
});

/** How far the work is. */
export interface Progress {
  /** What is going on, one or two words. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Units a second of work done so far (0 before the first); reused ones count in `done` only. */
  readonly perSecond: number;
  /** What is counted, in the plural; by default images. */
  readonly unit?: string;
}

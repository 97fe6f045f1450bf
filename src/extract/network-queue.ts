import type { Matrix } from '../core/matrix.ts';
import type { ImageFacts, Sample } from '../core/sample.ts';
import type { Executable } from './engines/engine.ts';
import type { Remark } from './image/remarks.ts';
import type { StageClock } from './stage-clock.ts';

/** Images that went through a network: one matrix for each output of its program, in its order, row i for rows[i]. */
export interface InferredBatch {
  readonly executable: Executable;
  /** The unit of the listing in which all of its images lie. */
  readonly unit: number;
  readonly rows: readonly (Sample & ImageFacts)[];
  readonly outputs: readonly Matrix[];
  /** What is odd about some of them, by the SHA-256 of their bytes; nothing of views. */
  readonly remarks: ReadonlyMap<string, Remark>;
}

/** Batches in the network at once: while one is inferred the next waits, so that it never stands idle. */
const IN_NETWORK = 2;

/** A batch that is filled, or in its network. */
export interface Batch {
  readonly executable: Executable;
  readonly unit: number;
  readonly rows: (Sample & ImageFacts)[];
  readonly pixels: Uint8Array;
  readonly remarks: Map<string, Remark>;
}

/** The networks with their queue: batches come out in the order in which they went in. */
export function networkQueue(prepare: ((executable: Executable) => Promise<void>) | undefined, clock: StageClock) {
  const running: { readonly batch: Batch; readonly matrices: Promise<readonly Matrix[]> }[] = [];
  const ready = new Map<Executable, Promise<void> | undefined>();
  let failed = false;
  async function run({ executable, pixels, rows }: Batch): Promise<readonly Matrix[]> {
    clock.network(1);
    try {
      return await executable.run(pixels, rows.length);
    } finally {
      clock.network(-1);
    }
  }
  return {
    get isFull(): boolean {
      return running.length >= IN_NETWORK;
    },
    get isEmpty(): boolean {
      return running.length === 0;
    },
    /** True once a batch failed: what `next` throws when its turn comes. */
    get hasFailed(): boolean {
      return failed;
    },
    async enter(batch: Batch): Promise<void> {
      clock.enter('load');
      const { executable } = batch;
      if (!ready.has(executable)) ready.set(executable, prepare?.(executable));
      await ready.get(executable);
      clock.enter('wait');
      const matrices = run(batch);
      matrices.catch(() => (failed = true)); // thrown by `next`, or never where the stream is left before
      running.push({ batch, matrices });
    },
    /** The features of the batch that entered first. */
    async next(): Promise<InferredBatch> {
      const { batch, matrices } = running.shift()!;
      const { executable, unit, rows, remarks } = batch;
      return { executable, unit, rows, remarks, outputs: await matrices };
    },
  };
}

import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { sizeOf } from '../tail-shapes.ts';
import type { TailAnswers, TailArrays, TailProgram, TrainingStep } from '../training.ts';
import { answersGraph, gradientName, stepGraph, type TailGraph } from '../graph/nhwc/tail-graph.ts';

/** A tail's graph that a runtime has loaded: arrays by the graph's names, which a run reads and writes in place. */
export interface LoadedGraph {
  readonly arrays: ReadonlyMap<string, Float32Array>;
  run(): Promise<void>;
  /** Frees the runtime's memory. Called once, when no run is in flight. */
  release(): Promise<void>;
}

/** Loads a graph; the runtime's own errors may come through. */
export type LoadGraph = (tail: TailGraph) => Promise<LoadedGraph>;

/** New arrays of zeros for all that goes into a tail's graph and comes out. */
export function newArrays({ data, parameters, outputs }: TailGraph): ReadonlyMap<string, Float32Array> {
  return new Map(
    [...data, ...parameters, ...outputs].map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]),
  );
}

interface Guarded {
  readonly of: (name: string) => Float32Array;
  readonly parameters: TailArrays;
  readonly run: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** What every step promises: one run after the other, errors of one kind, and disposal once, when nothing runs. */
function guarded(runtime: string, { parameters }: TailGraph, loaded: LoadedGraph, batch: number): Guarded {
  let last: Promise<unknown> = Promise.resolve();
  let released: Promise<void> | undefined;
  const of = (name: string): Float32Array => loaded.arrays.get(name)!;
  return {
    of,
    parameters: new Map(parameters.map(({ name }) => [name, of(name)])),
    async run() {
      if (released !== undefined) {
        throw new PermafrostError('ENGINE_FAILED', 'This tail is disposed. Load the program again.');
      }
      const run = last.then(() => loaded.run());
      last = run.catch(() => undefined);
      try {
        await run;
      } catch (cause) {
        throw new PermafrostError(
          'ENGINE_FAILED',
          `${runtime} failed on a batch of ${batch}: ${reasonOf(cause)}. Where memory ran out, take a smaller batch.`,
          { cause },
        );
      }
    },
    dispose() {
      released ??= last.then(() => loaded.release());
      return released;
    },
  };
}

/** A TrainingStep on a runtime that runs graphs. Throws OPTION_INVALID for what does not fit, ENGINE_FAILED. */
export async function guardedStep(runtime: string, program: TailProgram, load: LoadGraph): Promise<TrainingStep> {
  const tail = stepGraph(program);
  const { of, parameters, run, dispose } = guarded(runtime, tail, await load(tail), program.batch);
  return {
    x: of('x'),
    y: of('y'),
    parameters,
    gradients: new Map([...parameters.keys()].map((name) => [name, of(gradientName(name))])),
    logits: of('logits'),
    async run() {
      await run();
      return of('loss')[0]!;
    },
    dispose,
  };
}

/** The same for TailAnswers. */
export async function guardedAnswers(runtime: string, program: TailProgram, load: LoadGraph): Promise<TailAnswers> {
  const tail = answersGraph(program);
  const { of, parameters, run, dispose } = guarded(runtime, tail, await load(tail), program.batch);
  return { x: of('x'), parameters, features: of('features'), logits: of('logits'), run, dispose };
}

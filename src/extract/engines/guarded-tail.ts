import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { mutex } from '../../core/mutex.ts';
import { sizeOf } from '../tail-shapes.ts';
import type { TailAnswers, TailArrays, TailProgram, TrainingStep } from '../training.ts';
import { answersGraph, gradientName, stepGraph, type TailGraph } from '../graph/nhwc/tail-graph.ts';

/** A tail's graph that a runtime has loaded: arrays by the graph's names, which a run reads and writes in place. */
export interface LoadedGraph {
  readonly arrays: ReadonlyMap<string, Float32Array>;
  readonly run: () => Promise<void>;
  /** Frees the runtime's memory. Called once, when no run is in flight. */
  readonly release: () => Promise<void>;
}

/** Loads a graph; the runtime's own errors may come through. */
export type LoadGraph = (tail: TailGraph) => Promise<LoadedGraph>;

/** New arrays of zeros for all that goes into a tail's graph and comes out. */
export function newArrays({ data, parameters, outputs }: TailGraph): ReadonlyMap<string, Float32Array> {
  return new Map(
    [...data, ...parameters, ...outputs].map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]),
  );
}

/** Runs of a loaded tail, and its end. */
interface GuardedRuns {
  readonly run: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** What every tail promises: one run after the other, errors of one kind, and disposal once, when nothing runs. */
export function guardedRuns(
  runtime: string,
  batch: number,
  { run, release }: Pick<LoadedGraph, 'run' | 'release'>,
): GuardedRuns {
  const inTurn = mutex();
  let released: Promise<void> | undefined;
  return {
    async run() {
      if (released !== undefined) {
        throw new PermafrostError('ENGINE_FAILED', 'This tail is disposed. Load the program again.');
      }
      try {
        await inTurn(run);
      } catch (cause) {
        throw new PermafrostError(
          'ENGINE_FAILED',
          `${runtime} failed on a batch of ${batch}: ${reasonOf(cause)}. Where memory ran out, take a smaller batch.`,
          { cause },
        );
      }
    },
    dispose() {
      released ??= inTurn(release);
      return released;
    },
  };
}

/** The arrays of a loaded graph, and its runs. */
function guarded(runtime: string, { parameters }: TailGraph, loaded: LoadedGraph, batch: number) {
  const of = (name: string): Float32Array => loaded.arrays.get(name)!;
  const named: TailArrays = new Map(parameters.map(({ name }) => [name, of(name)]));
  return { of, parameters: named, ...guardedRuns(runtime, batch, loaded) };
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

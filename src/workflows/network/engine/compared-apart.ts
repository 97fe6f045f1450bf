import { extname } from 'node:path';
import { PermafrostError, type ErrorCode } from '../../../core/errors.ts';
import type { GraphBackbone } from '../../../extract/backbones/backbone.ts';
import type { Engine } from '../../../extract/engines/engine.ts';
import { NO_BYTES } from '../../../extract/isolated/parcels.ts';
import { processPool } from '../../../extract/isolated/process-pool.ts';
import { whyEnded } from '../../../extract/isolated/why-ended.ts';
import { isLayerProgram, type GraphProgram, type Program } from '../../../extract/program.ts';

/** What a process compares. Plain data: it reads the network from its file again. */
export interface CompareJob {
  readonly engine: Pick<Engine, 'name' | 'device' | 'precision' | 'version'>;
  readonly threads: number;
  readonly path: string;
  readonly digest: string;
  readonly program: Omit<GraphProgram, 'backbone'> & { readonly backbone: Omit<GraphBackbone, 'file'> };
}

export type CompareAnswer =
  { readonly cosines: readonly number[] } | { readonly code: ErrorCode; readonly message: string };

/** Milliseconds to compile a network and to run it once, twice over, on a busy machine; and a byte of weights more. */
const BASE_MS = 300_000;
const BYTES_PER_MS = 1_000;

/** Where an engine ends its process with some networks, and gives no error. */
const MAY_CRASH: readonly string[] = ['openvino'];

/** Whether the first run of a program may end the process: OpenVINO does with some graphs, such as bare attention. */
export const isForAProcess = ({ name }: Pick<Engine, 'name'>, program: Program): program is GraphProgram =>
  MAY_CRASH.includes(name) && !isLayerProgram(program);

function unavailable({ engine }: CompareJob, found: string, cause?: unknown): PermafrostError {
  const { name, version, device, precision } = engine;
  return new PermafrostError(
    'ENGINE_UNAVAILABLE',
    `The engine ${name} ${version} on ${device} in ${precision} cannot run this network: ${found}, when it compiled the network and ran it on a generated picture, in a process of its own. Nothing was computed with it. Take --engine onnxruntime.`,
    { cause },
  );
}

const compare = processPool<CompareJob, CompareAnswer>({
  entry: new URL(`./compare-engine${extname(import.meta.url)}`, import.meta.url),
  oneTask: true,
  ended: (how, job, limits) => unavailable(job, `it ${whyEnded(how, limits)}`, how),
  late: (job, { mostMs }) => unavailable(job, `it had not ended after ${(mostMs / 1000).toFixed(0)} s and was stopped`),
});

/** Whether an error says that the engine itself ended the process: it will again. SIGKILL comes from elsewhere. */
export const isOfEngine = (error: unknown): error is PermafrostError =>
  error instanceof PermafrostError &&
  error.code === 'ENGINE_UNAVAILABLE' &&
  /^SIG(?!KILL|TERM|INT|HUP)/.test(String(error.cause));

/**
 * What `loadCompared` finds of an engine, in a process of its own; what the engine compiled lies in its cache then.
 * Throws ENGINE_UNAVAILABLE where that process ends before it answers, and as loadCompared.
 */
export async function comparedApart(engine: Engine, program: GraphProgram, threads = 0): Promise<readonly number[]> {
  const { backbone, ...rest } = program;
  const { file, ...plain } = backbone;
  const { name, device, precision, version } = engine;
  const job: CompareJob = {
    engine: { name, device, precision, version },
    threads,
    path: file.path,
    digest: file.digest,
    program: { ...rest, backbone: plain },
  };
  const weights = [...file.initializers.values()].reduce(
    (sum, { bytes, external }) => sum + bytes.length + (external?.length ?? 0),
    0,
  );
  const limits = { mostMs: BASE_MS + weights / BYTES_PER_MS, mostBytes: Infinity };
  const { content: answer } = await compare(job, NO_BYTES, limits);
  if ('code' in answer) throw new PermafrostError(answer.code, answer.message);
  return answer.cosines;
}

import { join } from 'node:path';
import { cacheFolder } from '../../../core/machine/cache-folder.ts';
import { keep, readKept } from '../../../core/machine/kept-json.ts';
import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import { PermafrostError } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import { onnxRuntimeFolder } from '../../../core/onnxruntime.ts';
import type { Engine, Executable } from '../../../extract/engines/engine.ts';
import { INSTALLABLE } from '../../../extract/engines/installations.ts';
import { processorIdentity } from '../../../extract/engines/choice/processor.ts';
import { leastCosine, loadCompared } from '../../../extract/engines/reference-check.ts';
import { engineClass, REFERENCE } from '../../../extract/engines/choice/variants.ts';
import { outputName } from '../../../extract/graph/program-graph.ts';
import { networkId, type Program } from '../../../extract/program.ts';
import { VERSION } from '../../version.ts';
import { comparedApart, isForAProcess, isOfEngine } from './compared-apart.ts';

/** How an engine agrees with ONNX Runtime in float32 on one network. */
export interface Agreement {
  /** By output, such as `block5_pool/flatten`, on the generated picture. */
  readonly cosines: Readonly<Record<string, number>>;
  /** The bound that each of them keeps. */
  readonly expected: number;
}

const noteOf =
  (listener: Listener | undefined) =>
  (message: string): void =>
    listener?.note?.(message);

/** How a check is made. */
export interface CheckRequest {
  /** Threads of the reference; 0 or absent: one per physical core that this process may use. */
  readonly threads?: number | undefined;
  readonly listener?: Listener | undefined;
}

const classOf = ({ name, device, precision }: Engine): string => engineClass({ engine: name, device, precision });

const isReference = (engine: Engine): boolean => classOf(engine) === engineClass(REFERENCE);

/** Variables by which the runtimes choose their kernels, or by which others of the same version are loaded. */
const DECISIVE = /^(?:ONEDNN|DNNL|OV|OPENVINO|ORT|TF|PERMAFROST_ONNXRUNTIME)(?:_|$)/;

const decisiveVariables = (env: NodeJS.ProcessEnv = process.env): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(env).filter(([name, value]) => value !== '' && DECISIVE.test(name)));

/** All that decides what an engine computes of a program: where any of it is another, the check is made anew. */
export function decisiveFacts(engine: Engine, program: Program): Record<string, unknown> {
  const { contract, outputs, quantization } = program;
  return {
    network: { ...networkId(program), contract, outputs: outputs.map(outputName) },
    calibration: engine.precision === 'int8' ? (quantization?.digest ?? null) : null,
    engine: { class: classOf(engine), version: engine.version },
    reference: { class: engineClass(REFERENCE), folder: onnxRuntimeFolder() },
    processor: processorIdentity(),
    variables: decisiveVariables(),
    permafrost: VERSION,
  };
}

const fileOf = (facts: Record<string, unknown>): string =>
  join(cacheFolder('agreement'), `${sha256Hex(canonicalJson(facts)).slice(0, 32)}.json`);

/** What is kept of an engine that ended its process: why it cannot be used. */
interface Crash {
  readonly crash: string;
}

/**
 * What was kept of an earlier check; undefined where there was none, or where what is kept is not whole. Throws
 * ENGINE_UNAVAILABLE where the engine ended its process then.
 */
function keptAgreement(file: string, { outputs }: Program, expected: number): Promise<Agreement | undefined> {
  return readKept(file, (json) => {
    const { cosines, crash } = json as Agreement & Partial<Crash>;
    if (typeof crash === 'string')
      throw new PermafrostError('ENGINE_UNAVAILABLE', `${crash} (As ${file} says of an earlier start.)`);
    const isWhole = outputs.every((output) => cosines[outputName(output)]! >= expected);
    return isWhole ? { cosines, expected } : undefined;
  });
}

/** What the user can do about an engine that computes something else. */
function advice({ name }: Engine): string {
  const limit = ['ONEDNN_MAX_CPU_ISA', 'DNNL_MAX_CPU_ISA'].find((variable) => process.env[variable]);
  const ways = [
    ...(limit === undefined ? [] : [`unset ${limit} (it is ${process.env[limit]})`]),
    'take --engine onnxruntime',
    ...(INSTALLABLE.includes(name) ? [`install another version with "npx permafrost engines add ${name}"`] : []),
  ];
  const [first = '', ...others] = ways;
  return [`${first[0]!.toUpperCase()}${first.slice(1)}`, ...others].join(', or ');
}

function requireAgreement(engine: Engine, { cosines, expected }: Agreement): void {
  const [output, least] = Object.entries(cosines).reduce((a, b) => (b[1] < a[1] ? b : a));
  if (least >= expected) return;
  const { name, version, device, precision } = engine;
  throw new PermafrostError(
    'ENGINE_DISAGREES',
    `The engine ${name} ${version} on ${device} in ${precision} computes other features than ONNX Runtime in float32: on a generated picture the cosine of ${output} is ${least.toFixed(4)}, expected ${expected} or more. Nothing was computed with it. ${advice(engine)}.`,
  );
}

/**
 * Compares an engine with the reference, in a process of its own where the engine may end that; the outcome is kept
 * where it agrees.
 */
async function compare(
  engine: Engine,
  program: Program,
  { threads, listener }: CheckRequest,
): Promise<{ readonly executable?: Executable; readonly agreement: Agreement }> {
  const stage = 'checking the engine';
  listener?.progress?.({ stage, done: 0, total: 1, perSecond: 0, unit: 'pictures' });
  const { executable, cosines } = isForAProcess(engine, program)
    ? { cosines: await comparedApart(engine, program, threads) }
    : await loadCompared(engine, program, threads, noteOf(listener));
  try {
    const byOutput = program.outputs.map((output, i) => [outputName(output), cosines[i]!] as const);
    const agreement = { cosines: Object.fromEntries(byOutput), expected: leastCosine(engine, program) };
    requireAgreement(engine, agreement);
    return { ...(executable && { executable }), agreement };
  } catch (error) {
    await executable?.dispose();
    throw error;
  }
}

/** What was kept of the check, or what it finds now, which is kept, with the executable that it was made on. */
async function keptOrCompared(
  engine: Engine,
  program: Program,
  request: CheckRequest,
): Promise<{ readonly executable?: Executable; readonly agreement: Agreement }> {
  const facts = decisiveFacts(engine, program);
  const file = fileOf(facts);
  const kept = await keptAgreement(file, program, leastCosine(engine, program));
  if (kept !== undefined) return { agreement: kept };
  const compared = await compare(engine, program, request).catch(async (error: unknown) => {
    if (isOfEngine(error)) await keep(file, { crash: error.message, facts } satisfies Crash & { facts: unknown });
    throw error;
  });
  const problem = await keep(file, { ...compared.agreement, facts });
  if (problem !== undefined) {
    request.listener?.note?.(`That ${classOf(engine)} agrees with ONNX Runtime is checked at each start: ${problem}`);
  }
  return compared;
}

/** Whether it is known of an earlier check that an engine agrees on a program. */
export async function isChecked(engine: Engine, program: Program): Promise<boolean> {
  if (isReference(engine)) return true;
  const file = fileOf(decisiveFacts(engine, program));
  return (await keptAgreement(file, program, leastCosine(engine, program))) !== undefined;
}

/**
 * The engine's executable, checked once against ONNX Runtime in float32 on a generated picture, through the very
 * network; what the user's cache folder keeps of an earlier check is believed. ONNX Runtime in float32 on the CPU is
 * not checked. Throws ENGINE_DISAGREES, and what loading throws.
 */
export async function loadChecked(engine: Engine, program: Program, request: CheckRequest = {}): Promise<Executable> {
  const note = noteOf(request.listener);
  if (isReference(engine)) return engine.load(program, note);
  const { executable } = await keptOrCompared(engine, program, request);
  return executable ?? engine.load(program, note);
}

/** The outcome of the same check; undefined for ONNX Runtime in float32 on the CPU. Throws as loadChecked. */
export async function agreementOf(
  engine: Engine,
  program: Program,
  request: CheckRequest = {},
): Promise<Agreement | undefined> {
  if (isReference(engine)) return undefined;
  const { executable, agreement } = await keptOrCompared(engine, program, request);
  await executable?.dispose();
  return agreement;
}

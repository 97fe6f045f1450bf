import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../core/machine/cache-folder.ts';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { reasonOf } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { random } from '../../core/random.ts';
import { CONTRACTS } from '../../extract/contract.ts';
import { readProcessor } from '../../extract/engines/processor.ts';
import { engineClass, REFERENCE, type Variant } from '../../extract/engines/variants.ts';
import { VERSION } from '../version.ts';
import { keep, readKept } from './kept-json.ts';
import { measureInProcess } from './variant-process.ts';

/** Speeds as multiples of onnxruntime's in fp32 on this processor, by engine class. */
export type MeasuredSpeeds = ReadonlyMap<string, number>;

/** What is kept: images a second by engine class, and where they were measured. */
interface Kept {
  readonly machine: Record<string, unknown>;
  readonly imagesPerSecond: Readonly<Record<string, number>>;
}

/** Half a default batch: twice that and once to warm up take a second an engine on two cores. */
const IMAGES = 4;

/** What decides the speeds: another processor, runtime or program is measured anew. */
function machine(runtime: string): Record<string, unknown> {
  const processor = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${process.platform} ${process.arch}`;
  return { processor, units: readProcessor().bf16, cores: availableParallelism(), runtime, permafrost: VERSION };
}

const fileOf = (facts: Record<string, unknown>): string =>
  join(cacheFolder(), 'measured', `${sha256Hex(canonicalJson(facts)).slice(0, 16)}.json`);

/** What is kept of these variants; undefined where there is no file, or one that is not whole. */
function keptSpeeds(file: string, classes: readonly string[]): Promise<Kept['imagesPerSecond'] | undefined> {
  return readKept(file, (json) => {
    const { imagesPerSecond } = json as Kept;
    return classes.every((name) => imagesPerSecond[name]! > 0) ? imagesPerSecond : undefined;
  });
}

/** Images a second of a variant in a process of its own, the best of its runs; throws ENGINE_FAILED. */
async function imagesPerSecond({ engine, device, precision }: Variant, pixels: Uint8Array): Promise<number | string> {
  const contract = CONTRACTS.vgg16.name;
  const job = { engine, device, precision, contract, cut: 'block5_pool', pixels, count: IMAGES, seconds: 0 };
  const answer = await measureInProcess(job);
  return 'problem' in answer ? answer.problem : Math.max(...answer.rates);
}

/**
 * How fast `variant` is against onnxruntime in fp32 here: what was kept in the user's cache folder, or measured now on
 * generated images, which takes some seconds and is reported. Undefined where it could not be measured, which is
 * reported too. `runtime` is the version of ONNX Runtime.
 */
export async function measuredSpeeds(
  variant: Variant,
  runtime: string,
  listener: Listener = {},
): Promise<MeasuredSpeeds | undefined> {
  const facts = machine(runtime);
  const file = fileOf(facts);
  const names = [REFERENCE, variant].map(engineClass);
  const ratios = (speeds: Kept['imagesPerSecond']): MeasuredSpeeds =>
    new Map(names.map((name) => [name, speeds[name]! / speeds[names[0]!]!]));
  const kept = await keptSpeeds(file, names);
  if (kept !== undefined) return ratios(kept);
  listener.progress?.({ stage: 'measuring engines', done: 0, total: names.length, perSecond: 0, unit: 'engines' });
  const { size } = CONTRACTS.vgg16;
  const generator = random(1);
  const pixels = Uint8Array.from({ length: IMAGES * size * size * 3 }, () => generator.below(256));
  const found: Record<string, number> = {};
  for (const one of [REFERENCE, variant]) {
    const rate = await imagesPerSecond(one, pixels).catch(reasonOf);
    if (typeof rate === 'string') {
      listener.note?.(`${engineClass(one)} could not be measured, so ${REFERENCE.engine} is taken: ${rate}`);
      return undefined;
    }
    found[engineClass(one)] = Number(rate.toPrecision(3));
  }
  const speeds = ratios(found);
  const text = [variant, REFERENCE].map((one) => `${one.engine} ${found[engineClass(one)]} images/s`).join(', ');
  const problem = await keep(file, { machine: facts, imagesPerSecond: found } satisfies Kept);
  const where = problem === undefined ? `kept in ${file}` : `not kept: ${problem}`;
  listener.note?.(`Measured once on this processor: ${text} (${where}).`);
  return speeds;
}

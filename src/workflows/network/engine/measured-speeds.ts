import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../../core/machine/cache-folder.ts';
import { keep, readKept } from '../../../core/machine/kept-json.ts';
import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import { reasonOf } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import { random } from '../../../core/random.ts';
import { LAYER_BACKBONES } from '../../../extract/backbones/vgg.ts';
import { CONTRACTS } from '../../../extract/contract.ts';
import { readProcessor } from '../../../extract/engines/choice/processor.ts';
import { engineClass, REFERENCE, type Variant } from '../../../extract/engines/choice/variants.ts';
import { VERSION } from '../../version.ts';
import { LAYERS_CONTRACT } from '../backbone-options.ts';
import { measureInProcess, type MeasuredNetwork } from './variant-process.ts';

/** Speeds as multiples of onnxruntime's in fp32 on this processor, by engine class. */
export type MeasuredSpeeds = ReadonlyMap<string, number>;

/** What is kept: images a second by engine class, and where they were measured. */
interface Kept {
  readonly machine: Record<string, unknown>;
  readonly imagesPerSecond: Readonly<Record<string, number>>;
}

/** Half a default batch: twice that and once to warm up take a second an engine on two cores. */
const IMAGES = 4;

/** What of the machine decides the speeds: another processor, runtime or program is measured anew. */
function machine(runtime: string): Record<string, unknown> {
  const processor = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${process.platform} ${process.arch}`;
  return { processor, units: readProcessor().bf16, cores: availableParallelism(), runtime, permafrost: VERSION };
}

const fileOf = (facts: Record<string, unknown>): string =>
  join(cacheFolder('measured'), `${sha256Hex(canonicalJson(facts)).slice(0, 16)}.json`);

/** What is kept of these variants; undefined where there is no file, or one that is not whole. */
function keptSpeeds(file: string, classes: readonly string[]): Promise<Kept['imagesPerSecond'] | undefined> {
  return readKept(file, (json) => {
    const { imagesPerSecond } = json as Kept;
    return classes.every((name) => imagesPerSecond[name]! > 0) ? imagesPerSecond : undefined;
  });
}

/** Of lists of layers the first is measured: they have one kind of layer. */
function layerNetwork(): MeasuredNetwork {
  const [{ name, layers }] = LAYER_BACKBONES;
  return {
    settings: { backbone: name, weights: '', contract: CONTRACTS[LAYERS_CONTRACT] },
    file: '',
    cut: layers.at(-1)!.name,
  };
}

/** Images a second of a variant in a process of its own, the best of its runs; throws ENGINE_FAILED. */
async function imagesPerSecond(
  { engine, device, precision }: Variant,
  network: MeasuredNetwork,
  pixels: Uint8Array,
): Promise<number | string> {
  const answer = await measureInProcess({ engine, device, precision, network, pixels, count: IMAGES, seconds: 0 });
  return 'problem' in answer ? answer.problem : Math.max(...answer.rates);
}

/**
 * How fast variants are against onnxruntime in fp32 here: what was kept in the user's cache folder, or measured now on
 * generated images, which takes some seconds and is reported. One that could not be measured has the speed 0, which is
 * reported too, and not kept. `runtime` is the version of ONNX Runtime; `graph` the network where it is one.
 */
export async function measuredSpeeds(
  variants: readonly Variant[],
  runtime: string,
  graph?: MeasuredNetwork,
  listener: Listener = {},
): Promise<MeasuredSpeeds> {
  const facts = { ...machine(runtime), ...(graph && { network: { ...graph.settings, cut: graph.cut } }) };
  const file = fileOf(facts);
  const all = [REFERENCE, ...variants];
  const names = all.map(engineClass);
  const kept = await keptSpeeds(file, names);
  if (kept !== undefined) return ratios(names, kept);
  listener.progress?.({ stage: 'measuring engines', done: 0, total: names.length, perSecond: 0, unit: 'engines' });
  const network = graph ?? layerNetwork();
  const { size } = network.settings.contract;
  const generator = random(1);
  const pixels = Uint8Array.from({ length: IMAGES * size * size * 3 }, () => generator.below(256));
  const found: Record<string, number> = {};
  for (const one of all) {
    const rate = await imagesPerSecond(one, network, pixels).catch(reasonOf);
    if (typeof rate === 'string') {
      listener.note?.(`${engineClass(one)} could not be measured, so ${REFERENCE.engine} is taken: ${rate}`);
      return new Map(names.map((name) => [name, name === names[0] ? 1 : 0]));
    }
    found[engineClass(one)] = Number(rate.toPrecision(3));
  }
  const spoken = (one: Variant): string => (graph === undefined ? one.engine : `${one.engine} ${one.precision}`);
  const text = [...variants, REFERENCE].map((one) => `${spoken(one)} ${found[engineClass(one)]} images/s`).join(', ');
  const problem = await keep(file, { machine: facts, imagesPerSecond: found } satisfies Kept);
  const where = problem === undefined ? `kept in ${file}` : `not kept: ${problem}`;
  const what = graph === undefined ? '' : ' with this network';
  listener.note?.(`Measured once on this processor${what}: ${text} (${where}).`);
  return ratios(names, found);
}

/** Speeds as multiples of that of the first. */
const ratios = (names: readonly string[], speeds: Kept['imagesPerSecond']): MeasuredSpeeds =>
  new Map(names.map((name) => [name, speeds[name]! / speeds[names[0]!]!]));

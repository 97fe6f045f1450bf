import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { DEFAULT_POOLINGS } from '../../core/sample.ts';
import { FASTER_BACKBONE } from '../network/backbone-options.ts';
import type { DoctorResult } from '../../results/engine-results.ts';
import type { BackboneWeights } from '../../extract/backbones/backbone.ts';
import { LAYER_BACKBONES } from '../../extract/backbones/vgg.ts';
import { CONTRACTS } from '../../extract/contract.ts';
import { chooseEngine } from '../../extract/engines/choice/choose-engine.ts';
import { loadCApiPackage } from '../../extract/engines/openvino/c-api.ts';
import { readProcessor } from '../../extract/engines/choice/processor.ts';
import { engineClass, VARIANTS, type Variant } from '../../extract/engines/choice/variants.ts';
import type { Engine } from '../../extract/engines/engine.ts';
import type { Program } from '../../extract/program.ts';
import { loadSharp } from '../../extract/image/sharp.ts';
import { loadWeights } from '../../extract/weights/load-weights.ts';
import { loadHnsw } from '../../classify/neighbors/hnsw-graph.ts';
import { onnxRuntime, onnxRuntimeFolder } from '../../core/onnxruntime.ts';
import { agreementOf } from '../network/engine/agreement-check.ts';
import { attempt, choiceFacts, factsMeasured, type Attempt } from '../network/engine/engine-choice.ts';
import { LAYERS_CONTRACT } from '../network/backbone-options.ts';
import { VERSION } from '../version.ts';

/** The packages with native parts: what each is for, and a call that proves that it works here. */
const PACKAGES = [
  { name: 'onnxruntime-node', needed: 'running the network, and the linear algebra of the heads', probe: onnxRuntime },
  { name: 'sharp', needed: 'decoding images', probe: loadSharp },
  { name: 'koffi', needed: 'the engine openvino', probe: loadCApiPackage },
  { name: 'hnswlib-node', needed: 'the head knn-hnsw alone (optional)', probe: loadHnsw },
] as const;

const require = createRequire(import.meta.url);

function foldersOf(name: string): readonly string[] {
  if (name === 'onnxruntime-node') return [onnxRuntimeFolder()];
  return (require.resolve.paths(name) ?? []).map((folder) => `${folder}/${name}`);
}

/** The version in a package's package.json, or null where it is not installed. */
function versionOf(name: string): string | null {
  for (const folder of foldersOf(name)) {
    try {
      return (require(`${folder}/package.json`) as { version: string }).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return null;
}

type Row = DoctorResult['engines'][number];

/** The default. */
const [BACKBONE] = LAYER_BACKBONES;

/** What `extract` asks of an engine by default. */
function defaultProgram(weights: BackboneWeights): Program {
  const cut = BACKBONE.layers.at(-1)!.name;
  const outputs = DEFAULT_POOLINGS.map((pooling) => ({ cut, pooling }));
  return { backbone: BACKBONE, weights, contract: CONTRACTS[LAYERS_CONTRACT], outputs };
}

/** Whether an engine computes what ONNX Runtime does: kept, or found now. Never throws for an engine that does not. */
async function agreementIn(
  { engine, problem }: Attempt,
  weights: BackboneWeights | undefined,
): Promise<Pick<Row, 'agreement' | 'problem'>> {
  if (engine === null || engine.precision === 'int8' || weights === undefined) return { agreement: null, problem };
  try {
    const found = await agreementOf(engine, defaultProgram(weights));
    if (found === undefined) return { agreement: null, problem };
    return { agreement: { cosine: Math.min(...Object.values(found.cosines)), expected: found.expected }, problem };
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    return { agreement: null, problem: error.message };
  }
}

/** Every engine, device and precision as it is on this machine, and which `auto` picks. */
async function engineTable(weights: BackboneWeights | undefined): Promise<Pick<DoctorResult, 'engine' | 'engines'>> {
  let facts = choiceFacts({ engine: 'auto', precision: 'auto' });
  const tried: Attempt[] = [];
  // A device that is not there makes ONNX Runtime write to stderr by itself: those are tried when they are asked for.
  for (const variant of VARIANTS.filter(({ onlyAsked }) => onlyAsked !== 'device')) tried.push(await attempt(variant));
  const engineOf = (wanted?: Variant): Engine | null | undefined =>
    tried.find(({ variant }) => variant === wanted)?.engine;
  let choice = chooseEngine(facts, tried);
  if (choice !== undefined) {
    facts = (await factsMeasured(choice.variant, facts, undefined, {})) ?? facts;
    choice = chooseEngine(facts, tried);
  }
  const chosen = engineOf(choice?.variant);
  const engines: Row[] = [];
  for (const one of tried) {
    const { variant, engine } = one;
    engines.push({
      engine: variant.engine,
      device: variant.device,
      precision: variant.precision,
      version: engine?.version ?? null,
      chosen: variant === choice?.variant,
      speed: facts.measured?.get(engineClass(variant)) ?? variant.speed(facts.processor),
      ...(await agreementIn(one, weights)),
    });
  }
  if (choice === undefined || !chosen) return { engine: null, engines };
  const { name, device, precision, version } = chosen;
  const { faster } = choice;
  const why = [choice.why, ...choice.details].join('; ');
  return { engine: { name, device, precision, version, why, faster }, engines };
}

/** Tries what permafrost needs, reports what works and would be used. Never throws for what is missing. */
export async function doctor(): Promise<DoctorResult> {
  const packages: DoctorResult['packages'][number][] = [];
  for (const { name, needed, probe } of PACKAGES) {
    const problem = await probe().then(() => null, reasonOf);
    packages.push({ name, version: versionOf(name), works: problem === null, needed, problem });
  }
  let loaded: BackboneWeights | undefined;
  let problem: string | null = null;
  try {
    loaded = await loadWeights({ backbone: BACKBONE });
  } catch (error) {
    problem = reasonOf(error);
  }
  return {
    permafrost: VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: {
      model: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryGiB: totalmem() / 2 ** 30,
      bf16: readProcessor().bf16,
    },
    packages,
    weights: { backbone: BACKBONE.name, ok: problem === null, digest: loaded?.digest ?? null, problem },
    fasterBackbone: FASTER_BACKBONE,
    ...(await engineTable(loaded)),
  };
}

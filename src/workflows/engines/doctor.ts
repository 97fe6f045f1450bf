import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { reasonOf } from '../../core/errors.ts';
import type { DoctorResult } from '../../results/engine-results.ts';
import { vgg16 } from '../../extract/backbones/vgg.ts';
import { chooseEngine } from '../../extract/engines/choose-engine.ts';
import { loadCApiPackage } from '../../extract/engines/openvino/c-api.ts';
import { readProcessor } from '../../extract/engines/processor.ts';
import { engineClass, VARIANTS, type Variant } from '../../extract/engines/variants.ts';
import type { Engine } from '../../extract/engines/engine.ts';
import { loadSharp } from '../../extract/image/sharp.ts';
import { loadWeights } from '../../extract/weights/load-weights.ts';
import { loadHnsw } from '../../classify/neighbors/hnsw-graph.ts';
import { onnxRuntime, onnxRuntimeFolder } from '../../core/onnxruntime.ts';
import { attempt, choiceFacts, factsMeasured, type Attempt } from '../network/engine-choice.ts';
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

/** Every engine, device and precision as it is on this machine, and which `auto` picks. */
async function engineTable(): Promise<Pick<DoctorResult, 'engine' | 'engines'>> {
  let facts = choiceFacts({ engine: 'auto', precision: 'auto' });
  const tried: Attempt[] = [];
  // A device that is not there makes ONNX Runtime write to stderr by itself: those are tried when they are asked for.
  for (const variant of VARIANTS.filter(({ onlyAsked }) => onlyAsked !== 'device')) tried.push(await attempt(variant));
  const engineOf = (wanted?: Variant): Engine | null | undefined =>
    tried.find(({ variant }) => variant === wanted)?.engine;
  let choice = chooseEngine(facts, tried);
  if (choice !== undefined) {
    facts = (await factsMeasured(choice.variant, engineOf(choice.variant)!.version, facts, {})) ?? facts;
    choice = chooseEngine(facts, tried);
  }
  const chosen = engineOf(choice?.variant);
  const engines = tried.map(({ variant, engine, problem }) => ({
    engine: variant.engine,
    device: variant.device,
    precision: variant.precision,
    version: engine?.version ?? null,
    chosen: variant === choice?.variant,
    speed: facts.measured?.get(engineClass(variant)) ?? variant.speed(facts.processor),
    problem,
  }));
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
  const weights = await loadWeights({ backbone: vgg16 }).then(
    ({ digest }) => ({ ok: true, digest, problem: null }),
    (error: unknown) => ({ ok: false, digest: null, problem: reasonOf(error) }),
  );
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
    weights,
    ...(await engineTable()),
  };
}

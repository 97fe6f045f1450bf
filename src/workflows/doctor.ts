import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { reasonOf } from '../core/errors.ts';
import type { DoctorResult } from '../core/results.ts';
import { vgg16 } from '../extract/backbones/vgg16.ts';
import { createEngine } from '../extract/engines/index.ts';
import { loadSharp } from '../extract/sharp.ts';
import { loadWeights } from '../extract/weights/load-weights.ts';
import { loadHnsw } from '../classify/neighbors/hnsw.ts';
import { onnxRuntime } from '../core/onnxruntime.ts';
import { VERSION } from './version.ts';

/** The packages with native parts: what each is for, and a call that proves that it works here. */
const PACKAGES = [
  {
    name: 'onnxruntime-node',
    needed: 'running the network, and the linear algebra of the heads',
    probe: onnxRuntime,
  },
  { name: 'sharp', needed: 'decoding images', probe: loadSharp },
  { name: 'hnswlib-node', needed: 'the head knn-hnsw alone (optional)', probe: loadHnsw },
] as const;

const require = createRequire(import.meta.url);

/** The version in a package's package.json, or null where it is not installed. */
function versionOf(name: string): string | null {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (require(`${folder}/${name}/package.json`) as { version: string }).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return null;
}

/** Tries everything that permafrost needs and tells what works, what would be used, and why. Never throws for what is missing. */
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
  const engine = await createEngine('onnxruntime').then(
    ({ name, device, precision, version }) => ({
      name,
      device,
      precision,
      version,
      why: 'the one engine of this version',
    }),
    () => null,
  );
  return {
    permafrost: VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: {
      model: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryGiB: totalmem() / 2 ** 30,
    },
    packages,
    weights,
    engine,
  };
}

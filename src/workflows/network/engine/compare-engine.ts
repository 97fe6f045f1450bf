// A process of its own, started by compared-apart.ts: it compares an engine with ONNX Runtime on one network.
import { PermafrostError } from '../../../core/errors.ts';
import { engineNamed } from '../../../extract/engines/index.ts';
import { loadCompared } from '../../../extract/engines/reference-check.ts';
import { NO_BYTES } from '../../../extract/isolated/parcels.ts';
import { serveTasks } from '../../../extract/isolated/serve-tasks.ts';
import { readOnnxFile } from '../../../extract/onnx/read-onnx.ts';
import type { CompareAnswer, CompareJob } from './compared-apart.ts';

async function compare({ engine, threads, path, digest, program }: CompareJob): Promise<CompareAnswer> {
  const { name, device, precision } = engine;
  try {
    const file = await readOnnxFile(path);
    if (file.digest !== digest) {
      throw new PermafrostError('BACKBONE_INVALID', `${path} has changed since it was read. Run it again.`);
    }
    const made = await engineNamed(name, { device, precision, threads });
    const whole = { ...program, backbone: { ...program.backbone, file } };
    const { executable, cosines } = await loadCompared(made, whole, threads);
    await executable.dispose();
    return { cosines };
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    return { code: error.code, message: error.message };
  }
}

serveTasks(async (job: CompareJob) => ({ content: await compare(job), bytes: NO_BYTES }));

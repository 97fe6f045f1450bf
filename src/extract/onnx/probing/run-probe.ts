// A process of its own, started by probe-process.ts: it runs one network on two images, and can be ended at any time.
import { PermafrostError } from '../../../core/errors.ts';
import { NO_BYTES } from '../../isolated/parcels.ts';
import { serveTasks } from '../../isolated/serve-tasks.ts';
import { readOnnxFile } from '../read-onnx.ts';
import { measureCuts } from './measure-cuts.ts';
import type { ProbeAnswer, ProbeJob } from './probe-process.ts';

async function measure({ path, digest, request }: ProbeJob): Promise<ProbeAnswer> {
  try {
    const file = await readOnnxFile(path);
    if (file.digest !== digest) {
      throw new PermafrostError('BACKBONE_INVALID', `${path} has changed while it was read. Run it again.`);
    }
    const { cuts, ...rest } = await measureCuts(file, request);
    return { ...rest, cuts: [...cuts] };
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    return { code: error.code, message: error.message };
  }
}

serveTasks(async (job: ProbeJob) => ({ content: await measure(job), bytes: NO_BYTES }));

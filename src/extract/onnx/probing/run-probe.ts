// A process of its own, started by probe-process.ts: it runs one network on two images, answers and ends.
import { PermafrostError } from '../../../core/errors.ts';
import { measureCuts } from './measure-cuts.ts';
import type { ProbeAnswer, ProbeJob } from './probe-process.ts';
import { readOnnxFile } from '../read-onnx.ts';

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

process.once('message', (job) => {
  void measure(job as ProbeJob).then((answer) => {
    process.send!(answer, () => process.disconnect());
  });
});

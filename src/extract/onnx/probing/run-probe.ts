// A process of its own, started by probe-process.ts: it runs one network on two images, answers and ends.
import { Worker } from 'node:worker_threads';
import { PermafrostError } from '../../../core/errors.ts';
import { measureCuts } from './measure-cuts.ts';
import type { ProbeAnswer, ProbeJob } from './probe-process.ts';
import { readOnnxFile } from '../read-onnx.ts';

/** So long the one that started it has time to end it, and to say why. */
const GRACE_MS = 2000;

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

/**
 * Ends this process when its time is over, from a thread of its own: ONNX Runtime holds this one, and whoever started
 * it may be gone.
 */
function endAfter(mostMs: number): void {
  new Worker(`setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${mostMs})`, { eval: true }).unref();
}

process.once('message', (job: ProbeJob) => {
  endAfter(job.mostMs + GRACE_MS);
  void measure(job).then((answer) => {
    process.send!(answer, () => process.disconnect());
  });
});

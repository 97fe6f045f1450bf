// A process of its own, started by variant-process.ts: it gets one job, measures, answers and ends.
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Executable } from '../../extract/engines/engine.ts';
import { engineNamed } from '../../extract/engines/index.ts';
import { networkOf } from './frozen-network.ts';
import { loadNetwork } from './loaded-network.ts';
import type { VariantJob, VariantAnswer } from './engine/variant-process.ts';

/** Repeats the inference, after one to warm up, for at least `seconds` and twice. */
async function repeat(
  executable: Executable,
  { pixels, count, seconds }: VariantJob,
): Promise<{ rates: number[]; cpuMs: number }> {
  await executable.run(pixels, count);
  const rates: number[] = [];
  const started = performance.now();
  const cpu = process.cpuUsage();
  while (rates.length < 2 || performance.now() - started < seconds * 1000) {
    const before = performance.now();
    await executable.run(pixels, count);
    rates.push((count * 1000) / (performance.now() - before));
  }
  const { user, system } = process.cpuUsage(cpu);
  return { rates, cpuMs: (user + system) / 1000 / (rates.length * count) };
}

async function measure(job: VariantJob): Promise<VariantAnswer> {
  const { engine: name, device, precision } = job;
  const { settings, file, cut } = job.network;
  try {
    const engine = await engineNamed(name, { device, precision });
    const network = await networkOf(settings, { weights: file, cuts: [cut] });
    const { program } = await loadNetwork(network, undefined, {});
    const executable = await engine.load({ ...program, outputs: [{ cut, pooling: 'flatten' }] });
    const [features] = await executable.run(job.pixels, job.count);
    const { rates, cpuMs } = await repeat(executable, job);
    await executable.dispose();
    // Linux, macOS and Windows alike: libuv gives kilobytes.
    const peakMiB = process.resourceUsage().maxRSS / 1024;
    return { version: engine.version, rates, cpuMs, peakMiB, features: features!.data };
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    return { problem: reasonOf(error) };
  }
}

process.once('message', (job) => {
  void measure(job as VariantJob).then((answer) => {
    process.send!(answer, () => process.disconnect());
  });
});

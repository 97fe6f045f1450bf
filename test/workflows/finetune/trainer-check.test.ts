import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTrainer } from '../../../src/extract/engines/trainers.ts';
import type { TailProgram, Trainer } from '../../../src/extract/training.ts';
import { requireGradients } from '../../../src/workflows/finetune/trainer-check.ts';
import { rejection } from '../../support/errors.ts';
import { hasOpenVino, needsOpenVino } from '../../support/openvino.ts';

const hasAvx512 = existsSync('/proc/cpuinfo') && /\bavx512f\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
const distUrl = (file: string): string => new URL(`../../../dist/${file}`, import.meta.url).href;

const tail: TailProgram = {
  layers: [
    { kind: 'conv', name: 'a', inputs: 16, filters: 24 },
    { kind: 'conv', name: 'b', inputs: 24, filters: 24 },
    { kind: 'maxPool', name: 'p' },
    { kind: 'conv', name: 'c', inputs: 24, filters: 16 },
  ],
  input: { height: 14, width: 14, channels: 16 },
  batch: 4,
  head: { pooling: 'avg', norm: 'l2', classes: 3 },
};

/** A trainer of another name whose gradients of one layer are those of a broken kernel. */
async function faulty(change: (gradient: Float32Array) => void): Promise<Trainer> {
  const trainer = await createTrainer('onnxruntime');
  return {
    ...trainer,
    name: 'another',
    async loadStep(program) {
      const step = await trainer.loadStep(program);
      return {
        ...step,
        async run() {
          const loss = await step.run();
          change(step.gradients.get('b/kernel')!);
          return loss;
        },
      };
    },
  };
}

describe('the gradients of a trainer', () => {
  it('pass where they are those of ONNX Runtime', async () => {
    await requireGradients(await faulty(() => undefined), tail);
  });

  it.each<[string, (gradient: Float32Array) => void]>([
    ['in another order', (gradient) => void gradient.reverse()],
    ['not finite', (gradient) => void gradient.fill(NaN)],
    ['zeros', (gradient) => void gradient.fill(0)],
  ])('are refused where those of one layer are %s, with its cosine', async (_, change) => {
    const { message } = await rejection(requireGradients(await faulty(change), tail), 'ENGINE_DISAGREES');
    expect(message).toMatch(/another [\d.]+ on cpu in fp32 .* that of b\/kernel is (-?0\.\d{4}|NaN), expected 0\.999/);
  });

  // There OpenVINO 2026.4 computes wrong numbers without an error: a cosine of 0.82 was measured.
  it.skipIf(!hasOpenVino || !hasAvx512)(
    hasAvx512
      ? needsOpenVino('are refused of OpenVINO under ONEDNN_MAX_CPU_ISA=AVX2')
      : 'are refused of OpenVINO under ONEDNN_MAX_CPU_ISA=AVX2 [skipped: the processor has no AVX-512 to hide]',
    () => {
      const script = `
        const { createTrainer } = await import(${JSON.stringify(distUrl('extract/engines/trainers.js'))});
        const { requireGradients } = await import(${JSON.stringify(distUrl('workflows/finetune/trainer-check.js'))});
        await requireGradients(await createTrainer('openvino'), JSON.parse(process.argv[1])).catch(({ code }) => console.log(code));`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(tail)], {
        env: { ...process.env, ONEDNN_MAX_CPU_ISA: 'AVX2' },
        encoding: 'utf8',
      });
      expect(stdout).toBe('ENGINE_DISAGREES\n');
    },
  );

  it.skipIf(!hasOpenVino)(needsOpenVino('pass on OpenVINO'), async () => {
    await requireGradients(await createTrainer('openvino'), tail);
  });
});

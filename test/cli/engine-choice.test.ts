import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DoctorResult } from '../../src/results/engine-results.ts';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { readProcessor } from '../../src/extract/engines/choice/processor.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { hasOpenVino, needsOpenVino } from '../support/openvino.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const newFolder = temporaryFolders();
/** What a machine without OpenVINO is like. */
const WITHOUT = { OPENVINO_LIB_DIR: newFolder() };

describe('--engine auto', () => {
  it('measures once what to take where OpenVINO is missing, keeps that, and says why and what would be faster', async () => {
    const cache = newFolder();
    const env = { ...WITHOUT, PERMAFROST_CACHE: cache };
    const dataset = await stripedDataset(newFolder(), 1, 1);
    const extract = async (): Promise<string[]> => {
      const args = ['extract', dataset, '--store', join(newFolder(), 'store')];
      const { code, stderr } = await permafrost(args, { env });
      expect(code).toBe(0);
      return stderr.split('\n').filter((text) => /^(Measured|Engine|Faster)/.test(text));
    };
    const [measured = '', line = '', hint] = await extract();
    const [, winograd, direct, file = ''] =
      /^Measured once on this processor: onnxruntime-winograd (\S+) images\/s, onnxruntime (\S+) images\/s \(kept in (.*)\)\.$/.exec(
        measured,
      )!;
    expect(file.startsWith(cache)).toBe(true);
    const gain = Number(winograd) / Number(direct);
    const taken = gain >= 1.2 ? 'onnxruntime-winograd' : 'onnxruntime';
    expect(line).toMatch(new RegExp(`^Engine: ${taken} [\\d.]+ on cpu, fp32 \\(the fastest here without openvino`));
    if (gain >= 1.2) expect(line).toContain('x onnxruntime');
    if (hint !== undefined) {
      expect(hint).toMatch(/^Faster here: npx permafrost engines add openvino \((bf16|fp32), about [\d.]+x\)\.$/);
      expect(hint.length).toBeLessThanOrEqual(100);
    }

    // What is kept decides the next time: here that the engine is twice as fast, then that it is as fast.
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { imagesPerSecond: Record<string, number> };
    const keep = (speed: number): void => {
      kept.imagesPerSecond = { 'onnxruntime/cpu/fp32': 10, 'onnxruntime-winograd/cpu/fp32': speed };
      writeFileSync(file, JSON.stringify(kept));
    };
    keep(20);
    expect((await extract())[0]).toMatch(/^Engine: onnxruntime-winograd .*measured, 2\.0x onnxruntime/);
    keep(10);
    expect((await extract())[0]).toMatch(/^Engine: onnxruntime [\d.]+ on cpu/);
  }, 300_000);

  it('refuses an engine that is missing when it is asked for by name', async () => {
    const dataset = await stripedDataset(newFolder(), 1, 1);
    const store = join(newFolder(), 'store');
    const args = ['extract', dataset, '--store', store, '--engine', 'openvino'];
    const { code, stderr } = await permafrost(args, { env: WITHOUT });
    expect(code).toBe(1);
    expect(stderr).toMatch(/The engine openvino is not usable: OPENVINO_LIB_DIR is .*\[ENGINE_UNAVAILABLE\]/);
  });

  it('refuses a precision that the engine does not have', async () => {
    const dataset = await stripedDataset(newFolder(), 1, 1);
    const args = ['extract', dataset, '--engine', 'onnxruntime', '--precision', 'bf16'];
    const { code, stderr } = await permafrost(args, { cwd: newFolder() });
    expect(code).toBe(2);
    expect(stderr).toContain('no engine onnxruntime on the device auto in bf16');
  });
});

describe.skipIf(!hasOpenVino)(needsOpenVino('--engine auto with OpenVINO'), () => {
  it("takes fp32 when oneDNN may not use the processor's bf16 units, and computes in it", async () => {
    // Below AVX-512 OpenVINO computes something else: engine-disagrees.test.ts.
    const env = { ONEDNN_MAX_CPU_ISA: 'AVX512_CORE' };
    const dataset = await stripedDataset(newFolder(), 1, 1);
    const args = ['extract', dataset, '--store', join(newFolder(), 'store'), '--json'];
    const finished = await permafrost(args, { env });
    expect(document<ExtractResult>(finished)).toMatchObject({
      extracted: 4,
      engine: { name: 'openvino', device: 'cpu', precision: 'fp32' },
    });
    if (readProcessor().bf16 !== null) expect(finished.stderr).toContain('ONEDNN_MAX_CPU_ISA=AVX512_CORE hides');
    const told = document<DoctorResult>(await permafrost(['doctor', '--json'], { env }));
    expect(told.engine).toMatchObject({ name: 'openvino', precision: 'fp32' });
  });

  it('fails with a reason when bf16 is asked for and would be float32 in truth', async () => {
    const dataset = await stripedDataset(newFolder(), 1, 1);
    const args = ['extract', dataset, '--store', join(newFolder(), 'store'), '--precision', 'bf16'];
    const { code, stderr } = await permafrost(args, { env: { ONEDNN_MAX_CPU_ISA: 'AVX2' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/compiled the network in f32 where bf16 was asked for.*\[ENGINE_UNAVAILABLE\]/);
  });

  it('stays with the engine of the stored features, and switches when told to', async () => {
    const dataset = await stripedDataset(newFolder(), 2, 1);
    const store = join(newFolder(), 'store');
    const run = async (...flags: string[]) => {
      const finished = await permafrost(['extract', dataset, '--store', store, '--json', ...flags]);
      return { ...finished, result: document<ExtractResult>(finished) };
    };
    expect((await run('--engine', 'onnxruntime')).result).toMatchObject({ extracted: 6 });
    const second = await run();
    expect(second.result).toMatchObject({ extracted: 0, reused: 6, engine: { name: 'onnxruntime' } });
    expect(second.stderr).toMatch(/it made the stored features; --engine and --precision switch/);
    const third = await run('--engine', 'openvino', '--precision', 'fp32');
    expect(third.result).toMatchObject({ extracted: 6, engine: { name: 'openvino', precision: 'fp32' } });
    expect(third.result.extractedBecause).toContain('engineClass');
    expect((await run()).result).toMatchObject({
      extracted: 0,
      engine: { name: 'openvino', precision: 'fp32' },
    });
  });

  it("predicts with the engine of the head's features", async () => {
    const dataset = await stripedDataset(newFolder(), 3, 2);
    const store = join(newFolder(), 'store');
    await permafrost(['extract', dataset, '--store', store, '--engine', 'onnxruntime']);
    const trained = document<{ file: string }>(await permafrost(['train', store, '--head', 'centroid', '--json']));
    const image = join(dataset, 'Val', 'down', '0.png');
    const { code, stderr, stdout } = await permafrost(['predict', trained.file, image]);
    expect({ code, first: stdout.split('\n')[0] }).toMatchObject({ code: 0 });
    expect(stdout).toContain('0.png: down');
    expect(stderr).toMatch(/^Engine: onnxruntime .*it made the features that are compared/m);
  });

  it('asks another engine where that of a head is not here, or names its class where no other may answer', async () => {
    const dataset = await stripedDataset(newFolder(), 3, 2);
    const store = join(newFolder(), 'store');
    await permafrost(['extract', dataset, '--store', store, '--engine', 'openvino', '--precision', 'fp32']);
    const trained = document<{ file: string }>(await permafrost(['train', store, '--head', 'centroid', '--json']));
    const image = join(dataset, 'Val', 'down', '0.png');
    const answered = await permafrost(['predict', trained.file, image], { env: WITHOUT });
    expect(answered.code).toBe(0);
    expect(answered.stdout + answered.stderr).toMatch(/Answered by onnxruntime.* in place of openvino/);
    const refused = ['predict', trained.file, image, '--allow-engine', 'none'];
    const { code, stderr } = await permafrost(refused, { env: WITHOUT });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /made by the engine class openvino\/cpu\/fp32, which is not available here.*\[ENGINE_UNAVAILABLE\]/,
    );
  });
});

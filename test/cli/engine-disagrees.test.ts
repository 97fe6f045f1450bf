import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DoctorResult } from '../../src/results/engine-results.ts';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { locateOpenVino } from '../../src/extract/engines/openvino/locate.ts';
import { document, permafrost, type Finished } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { hasOpenVino, needsOpenVino } from '../support/openvino.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const newFolder = temporaryFolders();
const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
const hasAvx512 = /\bavx512f\b/.test(flags);
const title = hasAvx512
  ? needsOpenVino('OpenVINO under ONEDNN_MAX_CPU_ISA=AVX2, where it computes something else')
  : 'OpenVINO under ONEDNN_MAX_CPU_ISA=AVX2 [skipped: the processor has no AVX-512 to hide]';

/** A cache of its own, so that nothing is known of an earlier run, with the OpenVINO of this machine. */
const ownCache = (): Record<string, string> => ({
  PERMAFROST_CACHE: newFolder(),
  OPENVINO_LIB_DIR: locateOpenVino()[0]?.folder ?? '',
});
const LIMIT = { ONEDNN_MAX_CPU_ISA: 'AVX2' };
const OPENVINO = ['--engine', 'openvino'];

function expectRefused({ code, stderr }: Finished, precision: string): void {
  expect(stderr).toMatch(
    new RegExp(
      `openvino [0-9.]+ on cpu in ${precision} .* Unset ONEDNN_MAX_CPU_ISA .*--engine onnxruntime.*\\[ENGINE_DISAGREES\\]`,
    ),
  );
  expect(code).toBe(1);
}

/** Names of what a store holds beside its lock. */
const stored = (store: string): string[] =>
  existsSync(store) ? readdirSync(store, { recursive: true }).map(String) : [];

describe.skipIf(!hasOpenVino || !hasAvx512)(title, () => {
  it.each(['fp32', 'int8'])(
    'extract in %s refuses before a row is stored, and whatever was compiled',
    async (precision) => {
      const dataset = await stripedDataset(newFolder(), 2, 1);
      const store = join(newFolder(), 'store');
      const env = ownCache();
      const args = ['extract', dataset, '--store', store, ...OPENVINO, '--precision', precision, '--json'];
      expectRefused(await permafrost(args, { env: { ...env, ...LIMIT } }), precision);
      // The calibration of int8 opens the store first.
      if (precision === 'fp32') expect(existsSync(store)).toBe(false);
      expect(stored(store).filter((name) => name.endsWith('.arrow'))).toEqual([]);
      // Without the limit the same command does the work, and then the compiled network is there.
      expect(document<ExtractResult>(await permafrost(args, { env }))).toMatchObject({ extracted: 6 });
      expect(readdirSync(join(env['PERMAFROST_CACHE']!, 'openvino-compiled')).length).toBeGreaterThan(0);
      const more = await stripedDataset(newFolder(), 3, 1);
      const other = ['extract', more, '--store', join(newFolder(), 'other'), ...OPENVINO, '--precision', precision];
      expectRefused(await permafrost(other, { env: { ...env, ...LIMIT } }), precision);
    },
  );

  it('predict and neighbors refuse, and doctor says so', { timeout: 300_000 }, async () => {
    const dataset = await stripedDataset(newFolder(), 3, 1);
    const folder = newFolder();
    const [store, head] = [join(folder, 'store'), join(folder, 'head')];
    const env = ownCache();
    await permafrost(['extract', dataset, '--store', store, ...OPENVINO, '--precision', 'fp32'], { env });
    const trained = await permafrost(['train', store, '--head', 'centroid', '--out', head], { env });
    expect(trained).toMatchObject({ code: 0 });
    const image = join(dataset, 'Val', 'down', '0.png');
    const limited = { env: { ...env, ...LIMIT } };
    expect(await permafrost(['predict', head, image], { env })).toMatchObject({ code: 0 });
    expectRefused(await permafrost(['predict', head, image], limited), 'fp32');
    expectRefused(await permafrost(['neighbors', store, image], limited), 'fp32');
    const told = document<DoctorResult>(await permafrost(['doctor', '--json'], limited));
    const fp32 = told.engines.find(({ engine, precision }) => engine === 'openvino' && precision === 'fp32');
    expect(fp32).toMatchObject({
      agreement: null,
      problem: expect.stringMatching(/Unset ONEDNN_MAX_CPU_ISA/) as string,
    });
    const healthy = document<DoctorResult>(await permafrost(['doctor', '--json'], { env }));
    expect(
      healthy.engines.find(({ engine, precision }) => engine === 'openvino' && precision === 'fp32'),
    ).toMatchObject({
      agreement: { expected: 0.9999 },
      problem: null,
    });
  });
});

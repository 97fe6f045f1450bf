import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as AgreementModule from '../../../../src/workflows/network/engine/agreement-check.ts';
import type * as ApartModule from '../../../../src/workflows/network/engine/compared-apart.ts';
import type * as EnginesModule from '../../../../src/extract/engines/index.ts';
import { encodeOnnx } from '../../../../src/core/onnx-model.ts';
import type { ExtractResult } from '../../../../src/results/extract-result.ts';
import type { GraphProgram } from '../../../../src/extract/program.ts';
import { locateOpenVino } from '../../../../src/extract/engines/openvino/locate.ts';
import { built } from '../../../support/built.ts';
import { document, permafrost } from '../../../support/command.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { tokenNet, type TokenChoices } from '../../../support/onnx-files.ts';
import { measured, programOf, rawContract } from '../../../support/onnx-runs.ts';
import { hasOpenVino, needsOpenVino } from '../../../support/openvino.ts';
import { stripedDataset } from '../../../support/small-dataset.ts';

// What starts processes of its own is tested as it is built.
const { agreementOf, isChecked } = await built<typeof AgreementModule>('workflows/network/engine/agreement-check.js');
const { comparedApart } = await built<typeof ApartModule>('workflows/network/engine/compared-apart.js');
const { createEngine } = await built<typeof EnginesModule>('extract/engines/index.js');

const newFolder = temporaryFolders();
const contract = { ...rawContract(16), mean: [120, 110, 100] as const, scale: 1 / 60 };

async function tokenProgram(choices?: TokenChoices): Promise<GraphProgram> {
  const network = await measured(newFolder(), encodeOnnx(tokenNet(16, 1, choices)), { contract });
  return programOf(network, [{ cut: 'last_hidden_state', pooling: 'cls' }]);
}

// Asked for before the folder of the cache is another.
const library = locateOpenVino()[0]?.folder ?? '';
let cache = '';
const before = { ...process.env };
beforeEach(() => {
  cache = newFolder();
  process.env['PERMAFROST_CACHE'] = cache;
  if (library !== '') process.env['OPENVINO_LIB_DIR'] = library;
});
afterEach(() => {
  for (const name of ['PERMAFROST_CACHE', 'OPENVINO_LIB_DIR']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
});
const kept = (): string[] => {
  const folder = join(cache, 'agreement');
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
};

describe('an engine in a process of its own', () => {
  it('has the cosines that it has in this one', async () => {
    const program = await tokenProgram();
    const [found] = await comparedApart(await createEngine('onnxruntime'), program);
    expect(found).toBeCloseTo(1, 6);
  });

  it('is refused for a file that is another one by now', async () => {
    const program = await tokenProgram();
    writeFileSync(program.backbone.file.path, encodeOnnx(tokenNet(16, 0)));
    const work = comparedApart(await createEngine('onnxruntime'), program);
    expect((await rejection(work, 'BACKBONE_INVALID')).message).toContain('has changed since it was read');
  });

  it.skipIf(process.platform !== 'linux')('that is killed is unavailable, and says by what', async () => {
    const children = (): string[] =>
      readdirSync(`/proc/${process.pid}/task`).flatMap((thread) =>
        readFileSync(`/proc/${process.pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
      );
    const others = new Set(children());
    const engine = await createEngine('onnxruntime');
    const work = rejection(comparedApart(engine, await tokenProgram()), 'ENGINE_UNAVAILABLE');
    const isNew = (pid: string): boolean => !others.has(pid);
    await vi.waitUntil(() => children().some(isNew), { timeout: 60_000, interval: 1 });
    process.kill(Number(children().find(isNew)), 'SIGSEGV');
    expect((await work).message).toMatch(
      /^The engine onnxruntime [\d.]+ on cpu in fp32 cannot run this network: it ended with SIGSEGV before it answered, .* Take --engine onnxruntime\.$/,
    );
  });
});

describe.skipIf(!hasOpenVino)(needsOpenVino('a graph on OpenVINO'), () => {
  it('that ends its process is refused in words, and from then on without another try', async () => {
    const program = await tokenProgram({ isProjected: false });
    const engine = await createEngine('openvino');
    const first = await rejection(agreementOf(engine, program), 'ENGINE_UNAVAILABLE');
    expect(first.message).toMatch(/openvino [\d.]+ on cpu in fp32 cannot run this network: it ended with SIG/);
    const [file] = kept();
    const again = await rejection(isChecked(engine, program), 'ENGINE_UNAVAILABLE');
    expect(again.message).toBe(`${first.message} (As ${file} says of an earlier start.)`);
  });

  it('that ends its process is left to ONNX Runtime by auto, which says so', async () => {
    const folder = newFolder();
    const model = join(folder, 'tokens.onnx');
    writeFileSync(model, encodeOnnx(tokenNet(16, 1, { isProjected: false })));
    const dataset = await stripedDataset(join(folder, 'images'), 2, 1);
    const args = ['extract', dataset, '--store', join(folder, 'store'), '--backbone', model, '--contract', 'raw'];
    const { code, stderr, ...rest } = await permafrost([...args, '--json']);
    expect(stderr).toMatch(
      /openvino is passed over: The engine openvino .* cannot run this network: it ended with SIG/,
    );
    expect(stderr).toMatch(/Engine: onnxruntime [\d.]+ on cpu, fp32/);
    expect(code).toBe(0);
    const result = document<ExtractResult>({ code, stderr, ...rest });
    expect(result).toMatchObject({ extracted: 6, engine: { name: 'onnxruntime' } });
  });

  it('that runs is compared there, and kept where it agrees', async () => {
    const program = await tokenProgram();
    const { cosines } = (await agreementOf(await createEngine('openvino'), program))!;
    expect(cosines['last_hidden_state/cls']).toBeGreaterThan(0.9999);
    expect(kept()).toHaveLength(1);
    expect(await isChecked(await createEngine('openvino'), program)).toBe(true);
  });
});

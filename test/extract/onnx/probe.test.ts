import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type * as ProbeModule from '../../../src/extract/onnx/probe.ts';
import type * as ReadModule from '../../../src/extract/onnx/read-onnx.ts';
import { encodeOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../../../src/core/onnx-model.ts';
import { measureCuts } from '../../../src/extract/onnx/probing/measure-cuts.ts';
import { bytesField, joined, numberField, textField } from '../../../src/extract/onnx/wire/wire.ts';
import { textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { convNet, modelProto, nodeProto, outputProto, tokenNet } from '../../support/onnx-files.ts';
import { rawContract } from '../../support/onnx-runs.ts';

// Of the built program: a process of its own measures the file, and Node 20 runs no TypeScript.
const distUrl = (file: string): string => new URL(`../../../dist/${file}`, import.meta.url).href;
const built = (file: string): Promise<unknown> => import(distUrl(file));
const { probeGraph } = (await built('extract/onnx/probe.js')) as typeof ProbeModule;
const { readOnnxFile } = (await built('extract/onnx/read-onnx.js')) as typeof ReadModule;

const folder = temporaryFolders();
const contract = rawContract(16);
let root: string;
beforeEach(() => {
  root = folder();
  process.env.PERMAFROST_CACHE = join(root, 'cache');
});

async function saved(bytes: Uint8Array, name = 'model.onnx') {
  const path = join(root, name);
  writeFileSync(path, bytes);
  return readOnnxFile(path);
}

/** A network with more operators at its end. */
const ending = (graph: OnnxGraph, nodes: readonly OnnxNode[], constants: readonly OnnxTensor[] = []): OnnxGraph => ({
  ...graph,
  nodes: [...graph.nodes, ...nodes],
  initializers: [...graph.initializers, ...constants],
  outputs: [{ name: nodes.at(-1)!.outputs[0]!, type: 'float32', shape: ['a', 'b', 'c', 'd'] }],
});

const integers = (name: string, ...values: readonly number[]): OnnxTensor => ({
  name,
  shape: [values.length],
  data: BigInt64Array.from(values.map(BigInt)),
});

const refused = (work: Promise<unknown>, message: RegExp): Promise<void> =>
  expect(work).rejects.toMatchObject({ code: 'BACKBONE_INVALID', message: textWith(message) });

/** A network with a Loop without a number of rounds whose condition stays true: (round, go, x) to (go on, y). */
function endless(): Uint8Array {
  const value = (id: number, name: string, type: number, dims: readonly number[]): Uint8Array[] => {
    const shape = dims.flatMap((size) => bytesField(1, ...numberField(1, size)));
    return bytesField(
      id,
      ...textField(1, name),
      ...bytesField(2, ...bytesField(1, ...numberField(1, type), ...bytesField(2, ...shape))),
    );
  };
  const body = joined([
    nodeProto({ op: 'Identity', inputs: ['go'], outputs: ['go on'] }),
    nodeProto({ op: 'Relu', inputs: ['x'], outputs: ['y'] }),
    ...textField(2, 'body'),
    ...value(11, 'round', 7, []),
    ...value(11, 'go', 9, []),
    ...value(11, 'x', 1, [1, 5]),
    ...value(12, 'go on', 9, []),
    ...value(12, 'y', 1, [1, 5]),
  ]);
  const loop = nodeProto({ op: 'Loop', inputs: ['', 'yes', 'logits'], outputs: ['end'], graphs: { body } });
  const graph = ending(
    convNet(),
    [{ op: 'Cast', inputs: ['one'], outputs: ['yes'], attributes: { to: 9 } }],
    [{ name: 'one', shape: [], data: Float32Array.of(1) }],
  );
  return modelProto({ ...graph, outputs: [] }, { graphFields: [loop, outputProto('end')] });
}

const kept = (): string[] => readdirSync(join(root, 'cache', 'probes'));

describe('the probe of a graph', () => {
  it('finds in a process of its own what is found in this one', async () => {
    const file = await saved(encodeOnnx(tokenNet()));
    expect(await probeGraph(file, { contract })).toEqual(await measureCuts(file, { contract }));
  });

  it('is kept: the second time costs nothing, whatever the file is called', async () => {
    const bytes = encodeOnnx(convNet());
    const first = await probeGraph(await saved(bytes), { contract });
    expect(kept()).toHaveLength(1);
    const renamed = await saved(bytes, 'renamed.onnx');
    // A process could not start in this time.
    expect(await probeGraph(renamed, { contract }, { mostMs: 0 })).toEqual(first);
    expect(kept()).toHaveLength(1);
  });

  it.each([
    ['another contract', { contract: { ...contract, scale: 2 } }],
    ['other cuts', { contract, cuts: ['block1/conv'] }],
    ['other tokens in front', { contract, prefixes: new Map([['stem', 2]]) }],
  ] as const)('is measured anew for %s', async (_, request) => {
    const file = await saved(encodeOnnx(convNet()));
    await probeGraph(file, { contract });
    await probeGraph(file, request);
    expect(kept()).toHaveLength(2);
  });

  it('is measured anew where what was kept is damaged', async () => {
    const file = await saved(encodeOnnx(convNet()));
    const first = await probeGraph(file, { contract });
    const path = join(root, 'cache', 'probes', kept()[0]!);
    for (const damaged of ['', '{}', '[', 'null', readFileSync(path, 'utf8').replace('"channels":8', '"channels":9')]) {
      writeFileSync(path, damaged);
      expect(await probeGraph(file, { contract })).toEqual(first);
    }
  });

  it('is not kept where the folder cannot be written, and works all the same', async () => {
    writeFileSync(join(root, 'cache'), 'no folder');
    await probeGraph(await saved(encodeOnnx(convNet())), { contract });
  });

  it('gives the errors of the measurement, and keeps none', async () => {
    const file = await saved(encodeOnnx(convNet({ size: 32 })));
    await refused(probeGraph(file, { contract }), /32 x 32/);
    const unknown = probeGraph(file, { contract: rawContract(32), cuts: ['stam'] });
    await expect(unknown).rejects.toMatchObject({ code: 'OPTION_INVALID', message: textWith('"stem"') });
    mkdirSync(join(root, 'cache', 'probes'), { recursive: true });
    expect(kept()).toEqual([]);
  });

  it('survives a file that ends the process that runs it', async () => {
    // ONNX Runtime 1.30 divides by the number of rows in the largest values of an empty map (SIGFPE).
    const graph = ending(
      convNet(),
      [
        { op: 'Slice', inputs: ['pool', 'behind', 'end of it', 'rows'], outputs: ['empty'] },
        { op: 'TopK', inputs: ['empty', 'one'], outputs: ['end', 'places'] },
      ],
      [integers('behind', 100), integers('end of it', 200), integers('rows', 2), integers('one', 1)],
    );
    await refused(
      probeGraph(await saved(encodeOnnx(graph)), { contract }),
      /ONNX Runtime ended with SIG\w+ before it answered/,
    );
  });

  it('stops a file that computes without end', async () => {
    const work = probeGraph(await saved(endless()), { contract }, { mostMs: 6000 });
    await refused(work, /had not ended after 6 s and was stopped/);
  });

  it.skipIf(process.platform !== 'linux')(
    'ends with its time where the process that started it was killed',
    async () => {
      const { path } = await saved(endless());
      const script = `
      const { probeGraph } = await import(${JSON.stringify(distUrl('extract/onnx/probe.js'))});
      const { readOnnxFile } = await import(${JSON.stringify(distUrl('extract/onnx/read-onnx.js'))});
      await probeGraph(await readOnnxFile(process.argv[1]), { contract: JSON.parse(process.argv[2]) }, { mostMs: 4000 });`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', script, path, JSON.stringify(contract)]);
      const children = (): number[] =>
        readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
      await vi.waitUntil(() => children().length > 0, 30_000);
      const [child] = children();
      // Its measurement has begun by then.
      await setTimeout(2000);
      parent.kill('SIGKILL');
      const lives = (): boolean => existsSync(`/proc/${child}`);
      expect(lives()).toBe(true);
      await vi.waitUntil(() => !lives(), 30_000);
    },
  );

  it.skipIf(process.platform !== 'linux')('stops a file that takes more memory than it may', async () => {
    // A map of 8 x 16,000 x 16,000 is 8 GB.
    const graph = ending(
      convNet(),
      [{ op: 'Expand', inputs: ['gap', 'sizes'], outputs: ['end'] }],
      [integers('sizes', 1, 8, 16_000, 16_000)],
    );
    const work = probeGraph(await saved(encodeOnnx(graph)), { contract }, { mostBytes: 2 ** 29 });
    await refused(work, /took \d+ MiB of memory and was stopped/);
  });
});

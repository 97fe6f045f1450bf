import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import { encodeOnnx } from '../../../src/core/onnx-model.ts';
import { readOnnxFile } from '../../../src/extract/onnx/read-onnx.ts';
import { sensibleCuts } from '../../../src/extract/onnx/sensible-cuts.ts';
import { bytesField, joined, textField } from '../../../src/extract/onnx/wire/wire.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { fuzz } from '../../support/fuzz.ts';
import { convNet, functionProto, modelProto, nodeProto, tokenNet } from '../../support/onnx-files.ts';

const folder = temporaryFolders();
const root = folder();

/** What reading gives of bytes: a number of nodes, or a code. Any other error fails the test. */
async function read(bytes: Uint8Array): Promise<number | string> {
  const path = join(root, 'hostile.onnx');
  writeFileSync(path, bytes);
  try {
    const file = await readOnnxFile(path);
    // What comes after reading must hold too.
    sensibleCuts(file);
    return file.nodes.length;
  } catch (error) {
    if (!(error instanceof PermafrostError)) throw error;
    return error.code;
  }
}

/** Seconds, and MiB of memory that are held, while some work is done. */
async function cost(work: Promise<unknown>): Promise<{ seconds: number }> {
  const start = performance.now();
  await work;
  return { seconds: (performance.now() - start) / 1000 };
}

const whole = encodeOnnx(tokenNet());

describe('a hostile ONNX file', () => {
  it('that is cut off anywhere is refused', async () => {
    for (let length = 0; length < whole.length; length += length < 2000 ? 7 : 101) {
      expect(await read(whole.subarray(0, length))).toBe('BACKBONE_INVALID');
    }
  });

  it('of random bytes is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(await read(bytes)).toBe('BACKBONE_INVALID');
      }),
      { numRuns: 300 },
    );
  });

  it('with changed bytes is refused, or read', async () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    const outcomes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = whole.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        const outcome = await read(bytes);
        outcomes.add(typeof outcome === 'number' ? 'read' : outcome);
        expect(typeof outcome === 'number' || outcome === 'BACKBONE_INVALID' || outcome === 'OPTION_INVALID').toBe(
          true,
        );
      }),
      { numRuns: 500 },
    );
    expect(outcomes).toContain('BACKBONE_INVALID');
    expect(outcomes).toContain('read');
  });

  it('of a million nodes is refused within seconds', async () => {
    const node = nodeProto({ op: 'Relu', inputs: ['a'], outputs: ['b'] });
    const nodes = new Uint8Array(node.length * 1_000_000);
    for (let i = 0; i < 1_000_000; i++) nodes.set(node, i * node.length);
    const bytes = modelProto(convNet(), { graphFields: [nodes] });
    const { seconds } = await cost(expect(read(bytes)).resolves.toBe('BACKBONE_INVALID'));
    expect(seconds).toBeLessThan(30);
  });

  it('of five million empty fields is refused within seconds', async () => {
    const bytes = modelProto(convNet(), {
      modelFields: [new Uint8Array(12_000_000).fill(0x7a).map((byte, i) => (i % 2 ? 0 : byte))],
    });
    const { seconds } = await cost(expect(read(bytes)).resolves.toBe('BACKBONE_INVALID'));
    expect(seconds).toBeLessThan(60);
  });

  it('of subgraphs in subgraphs is refused by their depth', async () => {
    let graph = joined([
      nodeProto({ op: 'Relu', inputs: ['x'], outputs: ['y'] }),
      ...bytesField(12, ...textField(1, 'y')),
    ]);
    for (let depth = 0; depth < 2000; depth++) {
      graph = nodeProto({ op: 'If', inputs: ['x'], outputs: ['y'], graphs: { then_branch: graph } });
    }
    const path = join(root, 'deep.onnx');
    writeFileSync(path, modelProto(convNet(), { graphFields: [graph] }));
    expect((await rejection(readOnnxFile(path), 'BACKBONE_INVALID')).message).toMatch(/more than 32 deep/);
  });

  it('of subgraphs with many nodes each is refused by all of their nodes', async () => {
    const relu = nodeProto({ op: 'Relu', inputs: ['x'], outputs: ['y'] });
    const many = joined(Array.from({ length: 2000 }, () => relu));
    const branches = Array.from({ length: 60 }, () =>
      nodeProto({ op: 'If', inputs: ['x'], outputs: ['y'], graphs: { then_branch: many } }),
    );
    const path = join(root, 'wide.onnx');
    writeFileSync(path, modelProto(convNet(), { graphFields: branches }));
    expect((await rejection(readOnnxFile(path), 'BACKBONE_INVALID')).message).toMatch(/more than 100000 nodes/);
  });

  it('of functions that double, or call themselves, is refused', async () => {
    const call = (name: string, from: string, to: string): Uint8Array =>
      nodeProto({ op: name, domain: 'own', inputs: [from], outputs: [to] });
    const doubling = Array.from({ length: 40 }, (_, i) =>
      functionProto(
        'own',
        `f${i}`,
        i === 0
          ? [nodeProto({ op: 'Relu', inputs: ['a'], outputs: ['b'] })]
          : [call(`f${i - 1}`, 'a', 'c'), call(`f${i - 1}`, 'c', 'b')],
      ),
    );
    const opsets = { '': 17, own: 1 };
    const bomb = modelProto(convNet(), { opsets, graphFields: [call('f39', 'logits', 'end')], modelFields: doubling });
    const circle = [functionProto('own', 'f', [call('g', 'a', 'b')]), functionProto('own', 'g', [call('f', 'a', 'b')])];
    const endless = modelProto(convNet(), { opsets, graphFields: [call('f', 'logits', 'end')], modelFields: circle });
    const path = join(root, 'functions.onnx');
    writeFileSync(path, bomb);
    expect((await rejection(readOnnxFile(path), 'BACKBONE_INVALID')).message).toMatch(/stand for \d+ nodes/);
    writeFileSync(path, endless);
    expect((await rejection(readOnnxFile(path), 'BACKBONE_INVALID')).message).toMatch(/function f, which calls itself/);
  });

  it('never ends the process that measures it without an answer, whatever bytes are changed', async () => {
    for (const [name, graph] of [
      ['conv', convNet()],
      ['tokens', tokenNet(16, 1, { classes: 3 })],
    ] as const) {
      const file = join(root, `${name}.onnx`);
      writeFileSync(file, encodeOnnx(graph));
      const cases = await fuzz({ reader: 'onnx', file, cases: 60, context: { size: 16 } });
      expect(cases[0]!.outcome).toMatch(/^ok /);
      const known = /^(ok .*|BACKBONE_INVALID|OPTION_INVALID|CONTRACT_INVALID)$/;
      expect(cases.filter(({ outcome }) => !known.test(outcome))).toEqual([]);
    }
  });
});

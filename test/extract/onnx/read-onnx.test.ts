import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeOnnx, type OnnxGraph } from '../../../src/core/onnx-model.ts';
import { measureCuts } from '../../../src/extract/onnx/probing/measure-cuts.ts';
import { readOnnxFile } from '../../../src/extract/onnx/read-onnx.ts';
import { bytesField, joined, numberField, textField } from '../../../src/extract/onnx/wire/wire.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import {
  convNet,
  externalTensor,
  functionProto,
  graphProto,
  modelProto,
  nodeProto,
  outputProto,
} from '../../support/onnx-files.ts';
import { featuresOf, measured, patternPixels, rawContract, savedOnnx } from '../../support/onnx-runs.ts';

const folder = temporaryFolders();
const contract = rawContract(16);
const sha256 = (...parts: Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** A network whose constant `stem/w` lies in another file, as `entries` say; its values. */
function external(entries: Record<string, string>): { model: Uint8Array; values: Uint8Array } {
  const { initializers, ...graph } = convNet();
  const [stem, ...others] = initializers;
  const values = new Uint8Array((stem!.data as Float32Array).slice().buffer);
  const field = joined(bytesField(5, externalTensor(stem!.name, stem!.shape, entries)));
  return { model: modelProto({ ...graph, initializers: others }, { graphFields: [field] }), values };
}

describe('an ONNX file', () => {
  it('is read as far as its operators and constants', async () => {
    const bytes = modelProto(convNet(), { opsets: { '': 17, 'com.microsoft': 1 }, metadata: { names: "{0: 'ant'}" } });
    const file = await savedOnnx(folder(), bytes);
    expect(file.digest).toBe(sha256(bytes));
    expect(file.irVersion).toBe(8);
    expect(Object.fromEntries(file.opsets)).toEqual({ '': 17, 'com.microsoft': 1 });
    expect(file.inputs).toEqual([{ name: 'image', type: 1, shape: ['batch', 3, 16, 16] }]);
    expect(file.outputs).toEqual([{ name: 'logits', type: 1, shape: ['batch', 5] }]);
    expect([...file.metadata]).toEqual([['names', "{0: 'ant'}"]]);
    expect(file.nodes[2]).toMatchObject({
      op: 'Conv',
      domain: '',
      name: 'block1/conv',
      inputs: ['stem', 'block1/w'],
      outputs: ['block1/conv'],
      outer: [],
    });
    expect([...file.initializers.values()].map(({ name, dims, type }) => ({ name, dims, type }))).toEqual([
      { name: 'stem/w', dims: [8, 3, 3, 3], type: 1 },
      { name: 'stem/b', dims: [8], type: 1 },
      { name: 'block1/w', dims: [8, 8, 3, 3], type: 1 },
      { name: 'fc/w', dims: [5, 8], type: 1 },
      { name: 'fc/b', dims: [5], type: 1 },
    ]);
  });

  it('has no inputs that only name constants, as old files list them', async () => {
    const graph = convNet();
    const all = [...graph.inputs, { name: 'stem/w', type: 'float32', shape: [8, 3, 3, 3] } as const];
    const file = await savedOnnx(folder(), modelProto({ ...graph, inputs: all }, { ir: 3, opsets: { '': 9 } }));
    expect(file.inputs.map(({ name }) => name)).toEqual(['image']);
    expect((await measureCuts(file, { contract })).defaultCut).toBe('features');
  });

  it('is put in order where it is not', async () => {
    const graph = convNet();
    const file = await savedOnnx(folder(), encodeOnnx({ ...graph, nodes: graph.nodes.toReversed() }));
    expect(file.nodes.map(({ outputs }) => outputs[0])).toEqual(graph.nodes.map(({ outputs }) => outputs[0]));
  });

  it('has its external values read, in the digest and in what runs', async () => {
    const root = folder();
    const { model, values } = external({ location: 'weights.bin', offset: '16', length: String(8 * 27 * 4) });
    writeFileSync(join(root, 'weights.bin'), Buffer.concat([Buffer.alloc(16, 7), values, Buffer.alloc(3)]));
    const network = await measured(root, model, { contract });
    expect(network.file.digest).toBe(sha256(model, values));
    const inside = await measured(folder(), encodeOnnx(convNet()), { contract });
    const outputs = [{ cut: 'features', pooling: 'avg' }] as const;
    const pixels = patternPixels(1, 16);
    expect(await featuresOf(network, outputs, pixels)).toEqual(await featuresOf(inside, outputs, pixels));
  });

  it('is read through links that lead model and values into one folder, as caches of downloads have them', async () => {
    const [root, blobs] = [folder(), folder()];
    const { model, values } = external({ location: 'weights.bin' });
    writeFileSync(join(blobs, 'abc'), model);
    writeFileSync(join(blobs, 'def'), values);
    symlinkSync(join(blobs, 'abc'), join(root, 'model.onnx'));
    symlinkSync(join(blobs, 'def'), join(root, 'weights.bin'));
    expect((await readOnnxFile(join(root, 'model.onnx'))).initializers.get('stem/w')!.external).toHaveLength(
      values.length,
    );
  });

  it.each([
    [
      'a file above',
      { location: '../weights.bin' },
      /"\.\.\/weights\.bin", which must be the name of a file in the folder/,
    ],
    ['a file above, on the way in', { location: 'in/../../weights.bin' }, /in the folder of the model/],
    ['an absolute path', { location: '/etc/passwd' }, /"\/etc\/passwd", which must be/],
    ['no file', { location: 'gone.bin' }, /"gone\.bin", which cannot be read.*belongs beside the model/],
    ['a link that leads out', { location: 'link.bin' }, /"link\.bin", a link that leads out of the folder/],
    ['a folder', { location: 'in' }, /"in"/],
    ['too few bytes', { location: 'short.bin' }, /at bytes 0 to 864 of "short\.bin", which has 100/],
    [
      'an offset behind the end',
      { location: 'weights.bin', offset: '1' },
      /at bytes 1 to 865 of "weights\.bin", which has 864/,
    ],
    ['another length', { location: 'weights.bin', length: '4' }, /with 4 bytes of "weights\.bin".*needs 864/],
    ['an offset below nought', { location: 'weights.bin', offset: '-8' }, /external offset "-8"/],
    ['an endless offset', { location: 'weights.bin', offset: '9'.repeat(40) }, /external offset "9+"/],
    ['no name', {}, /external file that is not named/],
  ] as const)('is refused with values in %s', async (_, entries, message) => {
    const [root, outside] = [folder(), folder()];
    const { model, values } = external(entries);
    mkdirSync(join(root, 'model', 'in'), { recursive: true });
    writeFileSync(join(root, 'weights.bin'), values);
    writeFileSync(join(root, 'model', 'weights.bin'), values);
    writeFileSync(join(root, 'model', 'short.bin'), values.subarray(0, 100));
    writeFileSync(join(outside, 'weights.bin'), values);
    symlinkSync(join(outside, 'weights.bin'), join(root, 'model', 'link.bin'));
    const { message: found } = await rejection(savedOnnx(join(root, 'model'), model), 'BACKBONE_INVALID');
    expect(found).toMatch(message);
  });

  it('is refused with external values within a node, which a runtime would look for wherever it was started', async () => {
    const tensor = externalTensor('inner', [4], { location: 'weights.bin' });
    const body = joined([...bytesField(5, tensor), ...bytesField(12, ...textField(1, 'inner'))]);
    const branch = nodeProto({
      op: 'If',
      inputs: ['yes'],
      outputs: ['x'],
      graphs: { then_branch: body, else_branch: body },
    });
    const work = savedOnnx(folder(), modelProto(convNet(), { graphFields: [branch] }));
    expect((await rejection(work, 'BACKBONE_INVALID')).message).toMatch(
      /node or subgraph in the external file "weights\.bin"/,
    );
  });

  it.each([
    ['model.h5', '\x89HDF\r\n\x1a\n', /not an ONNX model, but an HDF5 file.*model\.export/],
    ['model.tflite', '\x1c\0\0\0TFL3', /TensorFlow Lite.*tf2onnx/],
    ['model.pt', 'PK\x03\x04\0\0', /ZIP archive.*torch\.onnx\.export/],
    ['model.keras', 'PK\x03\x04\0\0', /Keras model.*model\.export/],
    ['model.pth', '\x80\x02\x8a\nl\xfc', /Python pickle.*torch\.onnx\.export/],
    ['saved_model.pb', '\x08\x01\x12\x02\x0a\0', /SavedModel.*tf2onnx/],
    ['frozen.pb', '\n\x02\x0a\0', /frozen graph.*tf2onnx/],
    ['model.onnx', 'version https://git-lfs.github.com/spec/v1\noid', /Git LFS.*git lfs pull/],
    ['model.onnx', '<!DOCTYPE html><title>404', /web page.*fetch it again/],
    ['model.safetensors', '\x40\0\0\0\0\0\0\0{"a":', /safetensors file: weights without a network/],
    ['model.ort', '\x1c\0\0\0ORTM', /ONNX Runtime's own format/],
    ['model.onnx', '', /found no IR version/],
    ['model.onnx', 'hello there', /is not an ONNX model that can be run/],
  ] as const)('is not %s that begins with %j', async (name, begin, message) => {
    const work = savedOnnx(folder(), Buffer.from(begin, 'latin1'), name);
    expect((await rejection(work, 'BACKBONE_INVALID')).message).toMatch(message);
  });

  it('must be there, and be a file', async () => {
    const root = folder();
    await rejection(readOnnxFile(join(root, 'none.onnx')), 'BACKBONE_NOT_FOUND');
    expect((await rejection(readOnnxFile(root), 'BACKBONE_INVALID')).message).toMatch(/is no file/);
  });

  it('of 2 GiB is refused before it is read, and with the reason', async () => {
    const path = join(folder(), 'large.onnx');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 31);
    expect((await rejection(readOnnxFile(path), 'BACKBONE_INVALID')).message).toMatch(
      /2147483648 bytes.*less than 2 GiB/,
    );
  });

  it('with external values of 2 GiB is refused before they are read', async () => {
    const root = folder();
    const field = joined(bytesField(5, externalTensor('huge', [2 ** 15, 2 ** 14], { location: 'huge.bin' })));
    writeFileSync(join(root, 'huge.bin'), '');
    truncateSync(join(root, 'huge.bin'), 2 ** 31);
    const work = savedOnnx(root, modelProto(convNet(), { graphFields: [field] }));
    expect((await rejection(work, 'BACKBONE_INVALID')).message).toMatch(/less than 2 GiB/);
  });

  const broken: Record<string, readonly [Uint8Array, RegExp]> = {
    'opset 6': [
      modelProto(convNet(), { opsets: { '': 6 } }),
      /version 6 of ONNX's operators, expected 7 or later.*opset 17/,
    ],
    'no opset': [modelProto(convNet(), { opsets: {} }), /no version of ONNX's operators/],
    'two opsets': [joined([modelProto(convNet()), ...bytesField(8, ...numberField(2, 9))]), /two versions/],
    'two graphs': [joined([modelProto(convNet()), ...bytesField(7, graphProto(convNet()))]), /two graphs/],
    'no nodes': [modelProto({ ...convNet(), nodes: [] }), /without nodes/],
    'no outputs': [modelProto({ ...convNet(), outputs: [] }), /without outputs/],
    'a circle': [modelProto(withInput(convNet(), 'stem/linear', 'block1')), /lead in a circle, through Conv/],
    'an output twice': [modelProto(withOutput(convNet(), 'pool', 'stem')), /"stem" that MaxPool writes/],
    'a node that writes a constant': [modelProto(withOutput(convNet(), 'pool', 'fc/w')), /"fc\/w" that MaxPool writes/],
    'a constant twice': [
      modelProto({ ...convNet(), initializers: [...convNet().initializers, convNet().initializers[0]!] }),
      /constant "stem\/w" twice/,
    ],
    'an input twice': [modelProto({ ...convNet(), inputs: [...convNet().inputs, ...convNet().inputs] }), /input twice/],
    'huge dims': [modelProto(convNet(), { graphFields: [constant([2 ** 40, 2 ** 40])] }), /values/],
    'dims that overflow': [
      modelProto(convNet(), { graphFields: [constant(Array<number>(60).fill(2 ** 40))] }),
      /values/,
    ],
    'a hundred axes': [modelProto(convNet(), { graphFields: [constant(Array<number>(100).fill(1))] }), /more than 64/],
    'a node without operator': [modelProto(convNet(), { graphFields: [nodeProto({ op: '' })] }), /without an operator/],
  };
  it.each(Object.entries(broken))('with %s is refused', async (_, [bytes, message]) => {
    expect((await rejection(savedOnnx(folder(), bytes), 'BACKBONE_INVALID')).message).toMatch(message);
  });

  it('that reads what nothing writes is refused where the cut needs it', async () => {
    const file = await savedOnnx(folder(), encodeOnnx(withInput(convNet(), 'pool', 'nowhere')));
    const { message } = await rejection(measureCuts(file, { contract, cuts: ['pool'] }), 'BACKBONE_INVALID');
    expect(message).toMatch(/MaxPool "pool" reads the tensor "nowhere", which nothing writes/);
  });

  it('keeps the functions of the file, whole', async () => {
    // Twice the input, as a function of the file's own domain.
    const body = [nodeProto({ op: 'Add', inputs: ['a', 'a'], outputs: ['b'] })];
    const bytes = modelProto(convNet(), {
      ir: 8,
      opsets: { '': 17, own: 1 },
      graphFields: [
        nodeProto({ op: 'Twice', domain: 'own', inputs: ['logits'], outputs: ['doubled'] }),
        outputProto('doubled'),
      ],
      modelFields: [functionProto('own', 'Twice', body)],
    });
    const network = await measured(folder(), bytes, { contract, cuts: ['doubled'] });
    const outputs = (['doubled', 'logits'] as const).map((cut) => ({ cut, pooling: 'avg' as const }));
    const found = await featuresOf(network, outputs, patternPixels(1, 16));
    const twice = found.get('logits/avg')!.data.map((value) => 2 * value);
    expect(found.get('doubled/avg')!.data).toEqual(twice);
  });
});

/** The graph with another first input of the node that writes `output`. */
function withInput(graph: OnnxGraph, output: string, input: string): OnnxGraph {
  const nodes = graph.nodes.map((node) =>
    node.outputs[0] === output ? { ...node, inputs: [input, ...node.inputs.slice(1)] } : node,
  );
  return { ...graph, nodes };
}

/** The graph with another name for the output of the node that writes `output`. */
function withOutput(graph: OnnxGraph, output: string, name: string): OnnxGraph {
  return {
    ...graph,
    nodes: graph.nodes.map((node) => (node.outputs[0] === output ? { ...node, outputs: [name] } : node)),
  };
}

/** A constant of float32 without values, as a field of a GraphProto. */
const constant = (dims: readonly number[]): Uint8Array =>
  joined(
    bytesField(5, ...dims.flatMap((size) => numberField(1, size)), ...numberField(2, 1), ...textField(8, 'made up')),
  );

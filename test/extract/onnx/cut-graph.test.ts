import { describe, expect, it } from 'vitest';
import { encodeOnnx } from '../../../src/core/onnx-model.ts';
import { cutGraph } from '../../../src/extract/onnx/cut-graph.ts';
import { sensibleCuts } from '../../../src/extract/onnx/sensible-cuts.ts';
import { bytesField, joined, textField } from '../../../src/extract/onnx/wire/wire.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { convNet, modelProto, nodeProto, outputProto, tokenNet } from '../../support/onnx-files.ts';
import { featuresOf, measured, patternPixels, rawContract, savedOnnx } from '../../support/onnx-runs.ts';

const folder = temporaryFolders();
const contract = rawContract(16);

const namesOf = ({ nodes }: ReturnType<typeof cutGraph>): string[] => nodes.map(({ outputs }) => outputs[0]!);

/** A GraphProto of one node in a branch: its output is that of the branch. */
const branch = (node: Parameters<typeof nodeProto>[0]): Uint8Array =>
  joined([nodeProto(node), ...textField(2, 'branch'), ...bytesField(12, ...textField(1, node.outputs![0]!))]);

/** A network whose end is a choice between two of its inner tensors, which only the branches name. */
const choosing = (): Uint8Array => {
  const graph = convNet();
  const inner = (name: string): Uint8Array =>
    // A branch in a branch: the name goes through both.
    branch({
      op: 'If',
      inputs: ['yes'],
      outputs: ['chosen inside'],
      graphs: {
        then_branch: branch({ op: 'Identity', inputs: [name], outputs: ['own'] }),
        else_branch: branch({ op: 'Neg', inputs: [name], outputs: ['own'] }),
      },
    });
  return modelProto(
    {
      ...graph,
      nodes: [...graph.nodes, { op: 'Cast', inputs: ['one'], outputs: ['yes'], attributes: { to: 9 } }],
      initializers: [...graph.initializers, { name: 'one', shape: [], data: Float32Array.of(1) }],
    },
    {
      graphFields: [
        nodeProto({
          op: 'If',
          inputs: ['yes'],
          outputs: ['chosen'],
          graphs: { then_branch: inner('features'), else_branch: inner('logits') },
        }),
        outputProto('chosen'),
      ],
    },
  );
};

describe('a cut of a graph', () => {
  it('has what the wanted tensors need, and nothing else', async () => {
    const file = await savedOnnx(folder(), encodeOnnx(convNet()));
    const cut = cutGraph(file, ['block1/conv']);
    expect(namesOf(cut)).toEqual(['stem/linear', 'stem', 'block1/conv']);
    expect(cut.initializers.map(({ name }) => name)).toEqual(['stem/w', 'stem/b', 'block1/w']);
    expect(cut.inputs).toEqual(['image']);
    expect(namesOf(cutGraph(file, ['pool', 'stem']))).toEqual(namesOf(cutGraph(file, ['pool'])));
  });

  it('follows the names that subgraphs read from around them', async () => {
    const file = await savedOnnx(folder(), choosing());
    const chosen = file.nodes.find(({ outputs }) => outputs[0] === 'chosen')!;
    expect(chosen.outer.toSorted()).toEqual(['features', 'logits', 'yes']);
    expect(namesOf(cutGraph(file, ['chosen']))).toEqual(expect.arrayContaining(['logits', 'features', 'stem', 'yes']));
    const network = await measured(folder(), choosing(), { contract, cuts: ['chosen', 'features'] });
    const outputs = (['chosen', 'features'] as const).map((cut) => ({ cut, pooling: 'avg' as const }));
    const found = await featuresOf(network, outputs, patternPixels(2, 16));
    expect(found.get('chosen/avg')!.data).toEqual(found.get('features/avg')!.data);
  });

  it('is walked without recursion: 50,000 nodes in a row', async () => {
    const graph = convNet();
    const nodes = Array.from({ length: 50_000 }, (_, i) => ({
      op: 'Relu',
      inputs: [i === 0 ? 'logits' : `relu${i - 1}`],
      outputs: [`relu${i}`],
    }));
    const outputs = [{ name: 'relu49999', type: 'float32' as const, shape: ['batch', 5] }];
    const file = await savedOnnx(folder(), encodeOnnx({ ...graph, nodes: [...graph.nodes, ...nodes], outputs }));
    expect(cutGraph(file, ['relu49999']).nodes).toHaveLength(50_009);
    expect(sensibleCuts(file).length).toBeLessThanOrEqual(20);
  });
});

describe('the sensible cuts', () => {
  it('are blocks, pools, what goes into the last product, and the outputs, with their depth', async () => {
    expect(sensibleCuts(await savedOnnx(folder(), encodeOnnx(convNet())))).toEqual([
      { tensor: 'stem', depth: 1, what: 'block' },
      { tensor: 'block1', depth: 4, what: 'block' },
      { tensor: 'pool', depth: 5, what: 'pool' },
      { tensor: 'features', depth: 7, what: 'penultimate' },
      { tensor: 'logits', depth: 8, what: 'output' },
    ]);
  });

  it('of tokens are the sums of its blocks, and no sum with a constant', async () => {
    const file = await savedOnnx(folder(), encodeOnnx(tokenNet(16, 1, { classes: 3 })));
    expect(sensibleCuts(file).map(({ tensor, what }) => `${tensor}: ${what}`)).toEqual([
      'tokens: block',
      'block0/attended: block',
      'block0: block',
      'block1/attended: block',
      'block1: block',
      'class token: penultimate',
      'logits: output',
    ]);
  });

  it('are 20 at most, of many blocks those that end them, the last one always', async () => {
    const graph = convNet();
    const sums = Array.from({ length: 48 }, (_, i) => [
      { op: 'Relu', inputs: [i === 0 ? 'features' : `sum${i - 1}`], outputs: [`relu${i}`] },
      { op: 'Add', inputs: [i === 0 ? 'features' : `sum${i - 1}`, `relu${i}`], outputs: [`sum${i}`] },
    ]).flat();
    const outputs = [{ name: 'end', type: 'float32' as const, shape: ['batch', 8] }];
    const nodes = [...graph.nodes.slice(0, -1), ...sums, { op: 'Relu', inputs: ['sum47'], outputs: ['end'] }];
    const cuts = sensibleCuts(await savedOnnx(folder(), encodeOnnx({ ...graph, nodes, outputs })));
    expect(cuts.length).toBeGreaterThan(14);
    expect(cuts.length).toBeLessThanOrEqual(20);
    expect(cuts.at(-1)).toMatchObject({ tensor: 'end', what: 'output' });
  });
});

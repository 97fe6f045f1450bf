import { describe, expect, it } from 'vitest';
import type { OnnxGraph } from '../../../src/core/onnx-model.ts';
import { ownClassesOf } from '../../../src/extract/onnx/own-classes.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { convNet, modelProto, tokenNet, weights } from '../../support/onnx-files.ts';
import { measured, rawContract } from '../../support/onnx-runs.ts';

const folder = temporaryFolders();

async function ownClasses(graph: OnnxGraph, defaultCut?: string): Promise<string | undefined> {
  const { file, probed } = await measured(folder(), modelProto(graph), { contract: rawContract(16) });
  return ownClassesOf({ name: 'test', file, ...probed, ...(defaultCut !== undefined && { defaultCut }) });
}

/** A network whose output has so many numbers, called so. */
function classifier(classes: number, name = 'logits'): OnnxGraph {
  const net = convNet();
  return {
    ...net,
    nodes: net.nodes.map((node) => (node.outputs[0] === 'logits' ? { ...node, outputs: [name] } : node)),
    initializers: net.initializers.map((tensor) =>
      tensor.name === 'fc/w'
        ? weights('fc/w', [classes, 8], 4)
        : tensor.name === 'fc/b'
          ? weights('fc/b', [classes], 5, 10)
          : tensor,
    ),
    outputs: [{ name, type: 'float32', shape: ['batch', classes] }],
  };
}

describe('the classes that a network names itself', () => {
  it('are an output behind a last product with weights', async () => {
    expect(await ownClasses(classifier(60))).toBe('logits');
    expect(await ownClasses(classifier(60, 'output'))).toBe('output');
  });

  it('are none where there are few, where the output is features, or where it is the cut', async () => {
    expect(await ownClasses(classifier(20))).toBeUndefined();
    expect(await ownClasses(classifier(60, 'embedding'))).toBeUndefined();
    expect(await ownClasses(classifier(60), 'logits:avg')).toBeUndefined();
    expect(await ownClasses(tokenNet())).toBeUndefined();
  });
});

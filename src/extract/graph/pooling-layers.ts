import type { OnnxNode } from '../../core/onnx-model.ts';
import { GEM } from '../../core/sample.ts';
import type { Layer } from '../backbones/backbone.ts';
import { mapPooling } from '../backbones/cut-layers.ts';
import { outputName, type LayerProgram, type Output } from '../program.ts';
import type { GraphPart } from './graph-part.ts';

/** The outputs that layers in NCHW give: features (batch, width), float32; flatten in NHWC order, as Keras. */
export function poolingLayers(layers: readonly Layer[], { outputs }: LayerProgram): GraphPart {
  const given = outputs.filter(({ cut }) => layers.some(({ name }) => name === cut));
  const initializers = [
    { name: 'gem/least', shape: [], data: Float32Array.of(GEM.least) },
    { name: 'gem/root', shape: [], data: Float32Array.of(1 / GEM.exponent) },
  ];
  return {
    nodes: given.flatMap(poolingNodes),
    // ONNX Runtime warns of constants that nothing reads.
    initializers: given.some(({ pooling }) => pooling === 'gem') ? initializers : [],
  };
}

function poolingNodes(output: Output): readonly OnnxNode[] {
  const { cut } = output;
  const name = outputName(output);
  const between = `${name}/between`;
  const flat: OnnxNode = { op: 'Flatten', inputs: [between], outputs: [name], attributes: { axis: 1 } };
  switch (mapPooling(output)) {
    case 'flatten':
      return [{ op: 'Transpose', inputs: [cut], outputs: [between], attributes: { perm: [0, 2, 3, 1] } }, flat];
    case 'avg':
      return [{ op: 'GlobalAveragePool', inputs: [cut], outputs: [between] }, flat];
    case 'max':
      return [{ op: 'GlobalMaxPool', inputs: [cut], outputs: [between] }, flat];
    case 'gem':
      // The cube by products: runtimes take Pow of a map by the logarithm.
      return [
        { op: 'Clip', inputs: [cut, 'gem/least'], outputs: [`${name}/clipped`] },
        { op: 'Mul', inputs: [`${name}/clipped`, `${name}/clipped`], outputs: [`${name}/squares`] },
        { op: 'Mul', inputs: [`${name}/squares`, `${name}/clipped`], outputs: [`${name}/cubes`] },
        { op: 'GlobalAveragePool', inputs: [`${name}/cubes`], outputs: [`${name}/mean`] },
        { op: 'Pow', inputs: [`${name}/mean`, 'gem/root'], outputs: [between] },
        flat,
      ];
  }
}

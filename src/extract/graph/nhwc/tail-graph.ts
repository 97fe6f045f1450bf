import type { OnnxGraph } from '../../../core/onnx-model.ts';
import { tailShapes } from '../../tail-shapes.ts';
import type { TailProgram } from '../../training.ts';
import { crossEntropy, denseHead, type HeadForward } from './dense-head.ts';
import { graphBuilder, type GraphBuilder } from './graph-builder.ts';
import { tailLayers, type TailLayer } from './tail-layers.ts';

/** A tensor's name and shape. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A tail's graph with what goes in and comes out beside `x`; all shapes are fixed. */
export interface TailGraph {
  readonly graph: OnnxGraph;
  /** `x` first, then `y` where there is one. */
  readonly data: readonly NamedShape[];
  /** In the order of TailArrays. */
  readonly parameters: readonly NamedShape[];
  readonly outputs: readonly NamedShape[];
}

/** The output that holds the derivative by a parameter. */
export const gradientName = (parameter: string): string => `d/${parameter}`;

interface Forward {
  readonly g: GraphBuilder;
  readonly layers: readonly TailLayer[];
  readonly head: HeadForward;
  readonly x: NamedShape;
  readonly parameters: readonly NamedShape[];
  readonly width: number;
}

function forward(program: TailProgram, mostKeptBytes?: number): Forward {
  const { layers, input, batch, head } = program;
  const shapes = tailShapes(program);
  const g = graphBuilder();
  const { height, width, channels } = input;
  const x: NamedShape = { name: 'x', shape: [batch, height, width, channels] };
  g.input(x.name, x.shape);
  const parameters = [...shapes].map(([name, shape]) => ({ name, shape }));
  for (const { name, shape } of parameters) g.input(name, shape);
  const built = tailLayers(g, layers, { tensor: x.name, batch, ...input }, mostKeptBytes);
  return {
    g,
    layers: built.layers,
    head: denseHead(g, built.y, batch, head),
    x,
    parameters,
    width: shapes.get('head/kernel')![0]!,
  };
}

function finished(g: GraphBuilder, name: string, told: readonly (NamedShape & { readonly from: string })[]): OnnxGraph {
  for (const { name: output, from, shape } of told) g.output(output, from, shape);
  return g.graph(name);
}

/** The forward pass of a tail: `x` and the parameters to `features` and `logits`. */
export function answersGraph(program: TailProgram): TailGraph {
  const { g, head, x, parameters, width } = forward(program);
  const { batch } = program;
  const outputs = [
    { name: 'features', from: head.features, shape: [batch, width] },
    { name: 'logits', from: head.logits, shape: [batch, program.head.classes] },
  ];
  return { graph: finished(g, 'tail', outputs), data: [x], parameters, outputs };
}

/**
 * A step of training as a graph that any runtime of inference runs: `x`, `y` and the parameters to `loss`, `logits` and
 * the gradient of each parameter (gradientName). Gradients come from the last layer to the first, so that what each
 * layer kept is freed on the way. Transformed tiles are kept for the backward pass where those of all layers take at
 * most `mostKeptBytes`, else made again. Throws OPTION_INVALID for a program that does not fit.
 */
export function stepGraph(program: TailProgram, mostKeptBytes?: number): TailGraph {
  const { g, layers, head, x, parameters } = forward(program, mostKeptBytes);
  const { batch } = program;
  const { classes } = program.head;
  const y: NamedShape = { name: 'y', shape: [batch, classes] };
  g.input(y.name, y.shape);
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  const { loss, d } = crossEntropy(g, head.logits, y.name);
  const outputs: (NamedShape & { from: string })[] = [
    { name: 'logits', from: head.logits, shape: y.shape },
    { name: 'loss', from: loss, shape: [] },
  ];
  const tell = (parameter: string, from: string): void => {
    outputs.push({ name: gradientName(parameter), from, shape: shapes.get(parameter)! });
  };
  const headBack = head.back(d);
  tell('head/kernel', headBack.kernel);
  tell('head/bias', headBack.bias);
  const firstConv = layers.findIndex(({ kind }) => kind === 'conv');
  let dy = firstConv === -1 ? undefined : headBack.input();
  for (let i = layers.length - 1; i >= firstConv && dy !== undefined; i--) {
    const layer = layers[i]!;
    if (layer.kind === 'maxPool') {
      dy = layer.forward.back(dy);
      continue;
    }
    const gradients = layer.forward.back(dy, i > firstConv);
    tell(`${layer.name}/kernel`, gradients.kernel);
    tell(`${layer.name}/bias`, gradients.bias);
    dy = gradients.input;
  }
  return { graph: finished(g, 'step', outputs), data: [x, y], parameters, outputs };
}

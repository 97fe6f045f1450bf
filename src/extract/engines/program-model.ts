import { encodeOnnx } from '../../core/onnx-model.ts';
import { programGraph, type ProgramGraphOptions } from '../graph/program-graph.ts';
import { graphModel } from '../onnx/graph-model.ts';
import { isLayerProgram, type Program } from '../program.ts';

/** A program as the bytes of an ONNX model, for any number of images. Throws as programGraph, or as graphModel. */
export const programModel = (program: Program, options: ProgramGraphOptions = {}): Uint8Array =>
  isLayerProgram(program) ? encodeOnnx(programGraph(program, options)) : graphModel(program);

/** A value that goes into a graph or comes out of it. */
export interface OnnxFileValue {
  readonly name: string;
  /** TensorProto.DataType of onnx.proto: 1 float32, 2 uint8, 10 float16; 0 where nothing is said. */
  readonly type: number;
  /** A string is symbolic; '' where nothing is said. Empty for a scalar, and where the file states no shape. */
  readonly shape: readonly (number | string)[];
}

/** An operator, with the bytes that it has in the file: no attribute is lost that is not known here. */
export interface WireNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of the graph around it that its subgraphs (of If, Loop, Scan) read. */
  readonly outer: readonly string[];
  /** The NodeProto. */
  readonly bytes: Uint8Array;
}

/** A constant, with the bytes that it has in the file. */
export interface WireTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** TensorProto.DataType of onnx.proto. */
  readonly type: number;
  /** The TensorProto. */
  readonly bytes: Uint8Array;
  /** Its values, row-major and little-endian, where they lie in a file of their own. */
  readonly external?: Uint8Array;
}

/** A function that a file defines for its nodes, kept whole. */
export interface WireFunction {
  readonly domain: string;
  readonly name: string;
  /** The FunctionProto. */
  readonly bytes: Uint8Array;
}

/** An ONNX file, read as far as its operators and constants; all bytes are views of what was read. */
export interface OnnxFile {
  readonly path: string;
  /** Lower-case hex SHA-256 of the file, then of the values of each external tensor, in order. */
  readonly digest: string;
  readonly irVersion: number;
  /** Versions by domain; '' is the standard's own. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Those without an initializer. */
  readonly inputs: readonly OnnxFileValue[];
  readonly outputs: readonly OnnxFileValue[];
  /** In topological order. */
  readonly nodes: readonly WireNode[];
  readonly initializers: ReadonlyMap<string, WireTensor>;
  /** SparseTensorProtos by the name of the constant that each is. */
  readonly sparse: ReadonlyMap<string, Uint8Array>;
  readonly functions: readonly WireFunction[];
  readonly metadata: ReadonlyMap<string, string>;
}

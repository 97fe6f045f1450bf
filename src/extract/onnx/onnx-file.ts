/**
 * A node as it lies in the file: what its graph is cut by, and all of it as bytes, so that every operator, attribute and
 * subgraph survives. An empty name is an input or output that is left out.
 */
export interface WireNode {
  readonly op: string;
  /** Empty for the standard's operators. */
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Tensors of the graph around it that its subgraphs (of If, Loop, Scan) read. */
  readonly outer: readonly string[];
  /** The NodeProto. */
  readonly bytes: Uint8Array;
}

/** A constant as it lies in the file. */
export interface WireTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** TensorProto.DataType: 1 is float32. */
  readonly type: number;
  /** The TensorProto. */
  readonly bytes: Uint8Array;
  /** Its values, row-major and little-endian, where they lie in a file beside the model. */
  readonly external?: Uint8Array;
}

/** An input or output that the file declares. */
export interface WireValue {
  readonly name: string;
  /** `float32`, `float16`, `uint8`, `int64` ...; `unknown` where the file does not say. */
  readonly type: string;
  /** A string is a symbolic size, `?` one without a name. Empty for a scalar, and where the file states no shape. */
  readonly shape: readonly (number | string)[];
}

/** A function that the file defines for its nodes: kept whole. */
export interface WireFunction {
  readonly domain: string;
  readonly name: string;
  /** The FunctionProto. */
  readonly bytes: Uint8Array;
}

/** An ONNX file, read at the wire level. Slices are views of the file's bytes. */
export interface OnnxFile {
  readonly path: string;
  /** Lower-case hex SHA-256 of the file's bytes, then of the values of each external tensor in the file's order. */
  readonly digest: string;
  readonly irVersion: number;
  /** Operator set version by domain; the standard's domain is the empty name. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Without those that only give a constant a name. */
  readonly inputs: readonly WireValue[];
  readonly outputs: readonly WireValue[];
  /** In topological order: a node's place is the depth of its outputs. */
  readonly nodes: readonly WireNode[];
  readonly initializers: ReadonlyMap<string, WireTensor>;
  /** SparseTensorProtos by the names of the constants that they are. */
  readonly sparse: ReadonlyMap<string, Uint8Array>;
  readonly functions: readonly WireFunction[];
  readonly metadata: ReadonlyMap<string, string>;
}

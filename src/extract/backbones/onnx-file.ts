/** A value that goes into a graph or comes out of it. */
export interface OnnxFileValue {
  readonly name: string;
  /** TensorProto.DataType of onnx.proto: 1 float32, 2 uint8, 10 float16. */
  readonly type: number;
  /** A string is symbolic; '' where nothing is said. */
  readonly shape: readonly (number | string)[];
}

/** An operator, with the bytes that it has in the file: no attribute is lost that is not known here. */
export interface WireNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of the graph around it that its subgraphs read. */
  readonly outer: readonly string[];
  readonly bytes: Uint8Array;
}

/** A constant, with the bytes that it has in the file. */
export interface WireTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Its values, where they lie in a file of their own. */
  readonly external?: Uint8Array;
}

/** An ONNX file, read as far as its operators and constants. */
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
  readonly nodes: readonly WireNode[];
  readonly initializers: ReadonlyMap<string, WireTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

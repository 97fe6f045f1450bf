/** A 3x3 convolution, stride 1, zero padding "same", bias, ReLU; `name` is the output after the ReLU, as in Keras. */
export interface ConvLayer {
  readonly kind: 'conv';
  readonly name: string;
  readonly inputs: number;
  readonly filters: number;
}

/** Maximum over 2x2, stride 2. */
export interface MaxPoolLayer {
  readonly kind: 'maxPool';
  readonly name: string;
}

/** One step of a network. */
export type Layer = ConvLayer | MaxPoolLayer;

/** A frozen network as data: layers in order, a convolution first. Each layer's name (Keras') may be a cut layer. */
export interface Backbone {
  readonly name: string;
  readonly layers: readonly Layer[];
}

/** For conv layer L the tensors `L/kernel`, shape (3, 3, inputs, filters) (HWIO), and `L/bias`, (filters). */
export interface BackboneWeights {
  /** Lower-case hex SHA-256 over all tensors (names, shapes, float32 bytes) in layer order, whatever the file. */
  readonly digest: string;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}

/**
 * A convolution 3x3, stride 1, zero padding "same", bias, then ReLU: the output named `name` is after the ReLU, as in
 * Keras.
 */
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

/**
 * A frozen network as data. Layers run in order, a convolution first; each layer's name (Keras' names) may be a cut
 * layer.
 */
export interface Backbone {
  readonly name: string;
  readonly layers: readonly Layer[];
}

/**
 * Weights of a backbone: for conv layer L the tensors `L/kernel`, shape (3, 3, inputs, filters) (HWIO), and `L/bias`,
 * (filters).
 */
export interface BackboneWeights {
  /**
   * Lower-case hex SHA-256 over all tensors (names, shapes, float32 bytes) in layer order: the same whatever file they
   * came from.
   */
  readonly digest: string;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}

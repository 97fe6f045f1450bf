/** A tensor of tfjs, float32. It lives outside JavaScript's memory until it is disposed. */
export interface Tensor {
  readonly shape: readonly number[];
  /** The values, in memory of their own. */
  data(): Promise<Float32Array<ArrayBuffer>>;
  dispose(): void;
}

/** What permafrost uses of the API of tfjs (js.tensorflow.org/api), as the optional package's types may be missing. */
export interface Tf {
  tensor(values: Float32Array | Uint8Array, shape: readonly number[], dtype: 'float32'): Tensor;
  /** Runs synchronous work and disposes each tensor made in it, except those in its result. */
  tidy<T>(work: () => T): T;
  sub(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  maximum(a: Tensor, b: number): Tensor;
  pow(base: Tensor, exponent: number): Tensor;
  reverse(x: Tensor, axis: number): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  mean(x: Tensor, axes: readonly number[]): Tensor;
  max(x: Tensor, axes: readonly number[]): Tensor;
  maxPool(x: Tensor, side: number, strides: number, pad: 'valid'): Tensor;
  sum(x: Tensor, axes?: readonly number[], keepDims?: boolean): Tensor;
  maximum(a: Tensor, b: Tensor): Tensor;
  sqrt(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  div(a: Tensor, b: Tensor): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  neg(x: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  logSoftmax(x: Tensor): Tensor;
  /** The value of a scalar function, and its derivative by each of its arguments. */
  valueAndGrads(
    work: (...xs: Tensor[]) => Tensor,
  ): (xs: readonly Tensor[]) => { readonly value: Tensor; readonly grads: readonly Tensor[] };
  /** Keeps a tensor that was made in `tidy`. */
  keep(x: Tensor): Tensor;
  readonly fused: {
    conv2d(convolution: {
      readonly x: Tensor;
      readonly filter: Tensor;
      readonly bias: Tensor;
      readonly strides: number;
      readonly pad: 'same';
      readonly activation: 'relu';
    }): Tensor;
  };
  /** Of all backends in the process. */
  memory(): { readonly numTensors: number; readonly numBytes: number };
  getBackend(): string;
  setBackend(name: string): Promise<boolean>;
  backend(): unknown;
}

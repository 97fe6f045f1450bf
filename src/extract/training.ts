import type { Layer } from './backbones/backbone.ts';
import type { ActivationShape } from './backbones/cut-layers.ts';

/**
 * What is trained of a network: the layers behind a cut, a pooling, and one dense layer on it. Their inputs are the
 * activations of the cut, which the frozen layers gave once.
 */
export interface TailProgram {
  /** The layers behind the cut, in order, all of them trained. */
  readonly layers: readonly Layer[];
  /** Shape of one image's input: the activation of the cut, or the prepared pixels where nothing is frozen. */
  readonly input: ActivationShape;
  /** Images of one run. Shapes are static: fewer images are padded by zeros. */
  readonly batch: number;
  readonly head: DenseHead;
}

/** One dense layer on the pooled output of the last layer. */
export interface DenseHead {
  /** flatten is NHWC order (h, w, channel), as Keras' Flatten; avg is the mean over the map. */
  readonly pooling: 'flatten' | 'avg';
  /** l2: each pooled row is divided by its length before the dense layer, inside of what is differentiated. */
  readonly norm: 'l2' | 'none';
  readonly classes: number;
}

/**
 * Arrays of a tail by name: `L/kernel`, shape (3, 3, inputs, filters) (HWIO), and `L/bias`, (filters), of each
 * convolution L in order, then `head/kernel`, (width, classes), and `head/bias`, (classes). float32.
 */
export type TailArrays = ReadonlyMap<string, Float32Array>;

/**
 * One step of training that an engine has loaded: mean cross-entropy of the softmax, and its gradients. The arrays
 * belong to the step, stay the same from run to run, and are written in place: inputs and parameters by the caller
 * before a run, gradients by the run. All are zeros at first.
 */
export interface TrainingStep {
  /** Activations (batch, height, width, channels). */
  readonly x: Float32Array;
  /**
   * Targets (batch, classes): each row one-hot (or smoothed) times its weight in the loss, so 1 / batch for the mean.
   * Rows of zeros take no part: a batch that is not full is right too, and so are parts of a larger batch.
   */
  readonly y: Float32Array;
  readonly parameters: TailArrays;
  /** The derivative of the loss by each parameter, of the same names and shapes. */
  readonly gradients: TailArrays;
  /** Logits (batch, classes) of the last run, before its gradients are applied. */
  readonly logits: Float32Array;
  /** Runs once and gives the loss: -sum(y * log softmax(logits)). Throws ENGINE_FAILED. */
  run(): Promise<number>;
  /** Frees the runtime's memory; the step's arrays are no longer valid. */
  dispose(): Promise<void>;
}

/** A tail that an engine has loaded to be asked: the forward pass of a TrainingStep alone. */
export interface TailAnswers {
  /** As those of TrainingStep. */
  readonly x: Float32Array;
  readonly parameters: TailArrays;
  /** What the dense layer reads before its norm: pooled features (batch, width) of the last run. */
  readonly features: Float32Array;
  /** Logits (batch, classes) of the last run. */
  readonly logits: Float32Array;
  /** Throws ENGINE_FAILED. */
  run(): Promise<void>;
  dispose(): Promise<void>;
}

/** An engine that trains. */
export interface Trainer {
  readonly name: string;
  readonly device: string;
  /** Training is in float32: gradients in bf16 are 5 to 18 % off. */
  readonly precision: 'fp32';
  readonly version: string;
  readonly notes?: readonly string[];
  /** Throws OPTION_INVALID for a program that it cannot train, ENGINE_FAILED. */
  loadStep(program: TailProgram): Promise<TrainingStep>;
  /** Throws as loadStep. */
  loadAnswers(program: TailProgram): Promise<TailAnswers>;
}

/** Adam (Kingma and Ba 2015, arXiv 1412.6980) with Keras' defaults but for the learning rate. */
const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-7;

export interface Adam {
  /** One step on float32 `weights`, in place, against their gradient. The step count is Adam's own. */
  step(weights: Float32Array, gradient: Float32Array): void;
}

/** The optimiser of one array of `size` weights. */
export function adam(size: number, learningRate: number): Adam {
  const first = new Float32Array(size);
  const second = new Float32Array(size);
  let steps = 0;
  return {
    step(weights, gradient) {
      steps++;
      // Keras folds both bias corrections into the rate, so its epsilon is the paper's "epsilon hat".
      const rate = (learningRate * Math.sqrt(1 - BETA_2 ** steps)) / (1 - BETA_1 ** steps);
      for (let i = 0; i < size; i++) {
        const g = gradient[i]!;
        const m = (first[i]! += (g - first[i]!) * (1 - BETA_1));
        const v = (second[i]! += (g * g - second[i]!) * (1 - BETA_2));
        weights[i]! -= (rate * m) / (Math.sqrt(v) + EPSILON);
      }
    },
  };
}

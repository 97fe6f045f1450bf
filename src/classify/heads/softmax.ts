import type { Matrix } from '../../core/matrix.ts';
import { matrix, selectRows } from '../../core/matrix.ts';
import type { OptionsOf } from '../../core/options.ts';
import { integerOption, numberOption, resolveOptions } from '../../core/options.ts';
import { random } from '../../core/random.ts';
import { checkFit, checkHeldOut } from '../checks.ts';
import type { Head } from '../head.ts';
import { stratifiedSplit } from '../split.ts';
import { glorotUniform, trainSoftmax } from '../solvers/softmax-training.ts';
import { fittedLinear } from './linear.ts';

/** Options of the head `softmax`: Keras' defaults for Dense, Adam and fit; the stop rule is that of scikit-learn's MLPClassifier. */
export const SOFTMAX_OPTIONS = {
  learningRate: numberOption(1e-3, "Adam's learning rate", { above: 0 }),
  batchSize: integerOption(32, 'rows a step', { min: 1 }),
  maxEpochs: integerOption(200, 'most passes over the rows', { min: 1 }),
  tol: numberOption(1e-4, 'the least fall of the loss that counts as progress', { min: 0 }),
  nIterNoChange: integerOption(10, 'epochs without progress after which training stops', { min: 1 }),
  validationFraction: numberOption(
    0,
    'part of each class held out to watch the loss on, keeping the best epoch; 0 watches the training loss',
    { min: 0, max: 0.9 },
  ),
  seed: integerOption(1, 'seed of the first weights, the order of the rows and the part held out', {
    min: 0,
  }),
};

/**
 * A dense softmax layer trained by Adam on the cross-entropy, without a penalty: the head of the 2020 report. It keeps its learning curve;
 * `iterations` are epochs. Throws OPTION_INVALID; `fit` throws FIT_INVALID, and INTERRUPTED.
 */
export function softmaxHead(options: Partial<OptionsOf<typeof SOFTMAX_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "softmax"', SOFTMAX_OPTIONS, options);
  return {
    name: 'softmax',
    params,
    async fit(X, y, context) {
      const { classes, indices } = checkFit(X, y);
      const { seed, validationFraction } = params;
      const part = (rows: readonly number[]) => ({
        X: selectRows(X, rows),
        y: Int32Array.from(rows, (i) => indices[i]!),
      });
      let training = { X, y: indices };
      let heldOut: typeof training | undefined;
      if (validationFraction > 0) {
        const keys = y.map((_, i) => String(i));
        const { train, val } = stratifiedSplit(y, { keys, valFraction: validationFraction, seed });
        checkHeldOut(val.length);
        training = part(train);
        heldOut = part(val);
      }
      const source = random(seed);
      const start = glorotUniform(X.cols, classes.length, source);
      const { layer, curve, converged } = await trainSoftmax(
        start,
        training,
        heldOut,
        params,
        source,
        context,
      );
      const iterations = curve.loss.length;
      const notes = converged
        ? []
        : [`not converged: the loss still fell after ${iterations} epochs; raise maxEpochs or learningRate`];
      return fittedLinear(
        {
          name: 'softmax',
          params,
          classes,
          features: X.cols,
          converged,
          iterations,
          learningCurve: curve,
          notes,
        },
        transposed(layer.weights),
        layer.bias,
      );
    },
  };
}

function transposed(m: Matrix): Matrix {
  const out = matrix(m.cols, m.rows);
  for (let i = 0; i < m.rows; i++) {
    for (let j = 0; j < m.cols; j++) out.data[j * m.rows + i] = m.data[i * m.cols + j]!;
  }
  return out;
}

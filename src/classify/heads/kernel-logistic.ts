import { matrix, type Matrix } from '../../core/matrix.ts';
import { mutex } from '../../core/mutex.ts';
import { integerOption, numberOption, type OptionsOf, resolveOptions } from '../../core/options.ts';
import { matrixRows } from '../../core/rows.ts';
import type { FittedHead, Head } from '../head.ts';
import { gammaOf } from '../kernels/gamma.ts';
import { kernelDesign, kernelDesignBytes } from '../kernels/kernel-design.ts';
import { landmarkCoefficients, mappedBytes, mappedRows } from '../kernels/nystroem.ts';
import { distancesOf, type SquaredDistances } from '../kernels/squared-distances.ts';
import { columnSums } from '../linalg/vectors.ts';
import { CLASS_WEIGHT_OPTION } from '../solvers/class-weights.ts';
import type { Design } from '../solvers/design.ts';
import { linearWeights, solveLinear } from '../solvers/linear-fit.ts';
import { matrixOf } from './fitted-state.ts';
import { APPROXIMATION_OPTIONS, fittedKernel, kernelBytes, KERNEL_OPTIONS } from './kernel.ts';
import { kernelFits, widthOn } from './kernel-fits.ts';
import { linearFits, notConverged } from './linear-solution.ts';

/** Options of the head `kernel-logistic`: those of `logistic`, and of the kernel. */
export const KERNEL_LOGISTIC_OPTIONS = {
  gamma: KERNEL_OPTIONS.gamma,
  C: numberOption(100, 'inverse strength of the L2 penalty; smaller is stronger', { above: 0 }),
  classWeight: CLASS_WEIGHT_OPTION,
  tol: numberOption(1e-4, 'stop when the largest absolute gradient is at most this', { above: 0 }),
  maxIter: integerOption(100, 'most Newton steps; typical fits take 3 to 12', { min: 1 }),
  ...APPROXIMATION_OPTIONS,
};

/**
 * Logistic regression in the space of the kernel exp(-gamma·d²): C · sum of losses + |f|² / 2, f in that space, the
 * intercept free; binomial for two classes, multinomial for more (Zhu and Hastie 2005, "Kernel logistic regression and
 * the import vector machine"). Solved by the linear heads' solver in the span of the rows. Throws OPTION_INVALID.
 */
export function kernelLogisticHead(options: Partial<OptionsOf<typeof KERNEL_LOGISTIC_OPTIONS>> = {}): Head {
  const resolved = resolveOptions('The head "kernel-logistic"', KERNEL_LOGISTIC_OPTIONS, options);
  const params = { ...resolved, gamma: gammaOf(resolved.gamma) };
  const self = { name: 'kernel-logistic', params };
  const linear = linearFits(self, 'logistic', params);
  const designs = sharedDesigns();
  // Factorisations at the same time would only take memory.
  const inTurn = mutex();
  const inOneDesign = <T>(work: () => Promise<T>): Promise<T> => (params.gamma === 'median' ? inTurn(work) : work());
  return {
    ...self,
    bytesOf: (shape) => kernelBytes(params, shape, kernelDesignBytes, mappedBytes),
    ...kernelFits(params, {
      exact: (on, labels, context) =>
        inOneDesign(async (): Promise<FittedHead> => {
          const { gamma, notes } = widthOn(on, params);
          // A width of its own gives a part its own matrix; one for all parts serves them all.
          const own = params.gamma === 'median';
          const design = own ? kernelDesign(distancesOf(on.distances, on.rows), gamma) : designs(on.distances, gamma);
          const y = own ? labels.y : new Int32Array(on.distances.rows);
          if (!own) on.rows.forEach((row, i) => (y[row] = labels.y[i]!));
          const { classes, classWeight } = labels;
          const task = { loss: 'logistic', y, classes, classWeight, ...(!own && { rows: on.rows }) } as const;
          const solution = await solveLinear(design, task, params, undefined, context);
          const { weights, intercept } = await linearWeights(design, solution);
          const { converged, iterations, gradient } = solution;
          return fittedKernel(
            {
              ...self,
              classes: labels.names,
              features: on.support.cols,
              converged,
              iterations,
              notes: [...notes, ...(converged ? [] : [notConverged(solution, params)])],
            },
            {
              rows: on.support,
              centre: on.distances.centre,
              gamma,
              coef: own ? weights : coefficientsOf(weights, on.rows),
              intercept,
            },
            { gradient },
          );
        }),
      async approximate(map, rows, labels, notes, context) {
        const head = await linear.fit(await mappedRows(map, rows), labels.labels, context);
        const { converged, iterations } = head;
        const k = head.state.tensors.get('intercept')!.data.length;
        const weights = matrixOf(head.state, 'weights', map.Z.rows, k);
        const coef = await landmarkCoefficients(map, new Float64Array(weights.data), k);
        return fittedKernel(
          {
            ...self,
            classes: head.classes,
            features: rows.cols,
            converged,
            iterations,
            notes: [...notes, ...head.notes],
          },
          {
            ...map,
            rows: matrixRows(map.Z),
            coef: matrix(map.Z.rows, k, new Float32Array(coef)),
            intercept: matrixOf(head.state, 'intercept', 1, k).data,
          },
          { gradient: head.state.json.gradient },
        );
      },
    }),
  };
}

/**
 * The coefficients of some of the rows. Those left out share what the intercept's gradient leaves, at most `tol`: it
 * goes to the others, so that all sum to zero as at the optimum.
 */
function coefficientsOf(weights: Matrix, rows: readonly number[]): Matrix {
  const k = weights.cols;
  const own = new Float64Array(rows.length * k);
  rows.forEach((row, i) => own.set(weights.data.subarray(row * k, (row + 1) * k), i * k));
  const sums = columnSums(own, k);
  return matrix(
    rows.length,
    k,
    Float32Array.from(own, (value, at) => value - sums[at % k]! / rows.length),
  );
}

/** The design of one width on the distances of prepared rows, kept while those are. */
function sharedDesigns(): (distances: SquaredDistances, gamma: number) => Design {
  const made = new WeakMap<SquaredDistances, Design>();
  return (distances, gamma) => {
    const design = made.get(distances) ?? kernelDesign(distances, gamma);
    made.set(distances, design);
    return design;
  };
}

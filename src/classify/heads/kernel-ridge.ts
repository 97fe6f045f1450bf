import { PermafrostError } from '../../core/errors.ts';
import { matrix } from '../../core/matrix.ts';
import { mutex } from '../../core/mutex.ts';
import { numberOption, type OptionsOf, resolveOptions, stringOption } from '../../core/options.ts';
import { matrixRows } from '../../core/rows.ts';
import type { FitContext, FittedHead, Head } from '../head.ts';
import { gammaOf } from '../kernels/gamma.ts';
import { chooseByLeaveOneOut, type KernelChoice } from '../kernels/kernel-choice.ts';
import { kernelPanels } from '../kernels/kernel-matrix.ts';
import { coefficientsOf, kernelRidgeBytes, kernelSystem, solveOne } from '../kernels/kernel-ridge.ts';
import { landmarkCoefficients, nystroemRidge } from '../kernels/nystroem.ts';
import { imagesOfRows } from '../network/images-of-rows.ts';
import { CLASS_WEIGHT_OPTION } from '../solvers/class-weights.ts';
import { ROWS_STAY } from './fitted-state.ts';
import { APPROXIMATION_OPTIONS, fittedKernel, kernelBytes, KERNEL_OPTIONS } from './kernel.ts';
import { type ExactRows, kernelFits, type KernelLabels, ownDistances, widthOn } from './kernel-fits.ts';
import { numbersOf } from './number-list.ts';

const OWNER = 'The head "kernel-ridge"';

/** Options of the head `kernel-ridge`: names and meaning of scikit-learn's KernelRidge (kernel rbf) and Nystroem. */
export const KERNEL_RIDGE_OPTIONS = {
  gamma: KERNEL_OPTIONS.gamma,
  alpha: numberOption(0.1, 'strength of the L2 penalty; larger is stronger', { above: 0 }),
  gammas: stringOption('', 'values of gamma to choose from by leave-one-out, such as 0.5,1,2; replaces gamma'),
  alphas: stringOption('', 'penalties to choose from by leave-one-out, such as 0.1,1,10; replaces alpha'),
  classWeight: CLASS_WEIGHT_OPTION,
  ...APPROXIMATION_OPTIONS,
};

/**
 * Ridge regression in the space of the kernel exp(-gamma·d²) to targets of -1 and 1, for three classes or more one
 * against the rest; no intercept: predictions of scikit-learn's KernelRidge on the same targets. Probabilities as of
 * `ridge`. Lists are chosen from by the least squared leave-one-out error, image by image. Throws OPTION_INVALID.
 */
export function kernelRidgeHead(options: Partial<OptionsOf<typeof KERNEL_RIDGE_OPTIONS>> = {}): Head {
  const resolved = resolveOptions(OWNER, KERNEL_RIDGE_OPTIONS, options);
  const params = { ...resolved, gamma: gammaOf(resolved.gamma) };
  const self = { name: 'kernel-ridge', params };
  const gammas = numbersOf(OWNER, 'gammas', params.gammas);
  const alphas = numbersOf(OWNER, 'alphas', params.alphas);
  const chooses = gammas.length + alphas.length > 0;
  const facts = { ...self, converged: true, iterations: 0 };
  // Factorisations at the same time would only take memory.
  const inTurn = mutex();

  /** The width and penalty of the options, or those chosen from the lists. */
  async function chosen(on: ExactRows, labels: KernelLabels, context?: FitContext) {
    const width = widthOn(on, params);
    if (!chooses) return { ...width, alpha: params.alpha, more: {} };
    const grid = {
      gammas: gammas.length > 0 ? gammas : [width.gamma],
      alphas: alphas.length > 0 ? alphas : [params.alpha],
    };
    const stay = on.support.matrix === undefined ? [ROWS_STAY] : [];
    const images = await imagesOfRows(on.support, context?.images);
    const choice = await chooseByLeaveOneOut(ownDistances(on), labels, grid, images, context);
    const { gamma, alpha, errors } = choice;
    return { gamma, alpha, notes: [choiceNote(choice), ...stay], more: { leaveOneOut: { ...grid, errors, alpha } } };
  }

  async function exact(on: ExactRows, labels: KernelLabels, context?: FitContext): Promise<FittedHead> {
    const { gamma, alpha, notes, more } = await chosen(on, labels, context);
    const system = kernelSystem(await kernelPanels(ownDistances(on), gamma), labels);
    const coef = coefficientsOf(system, await solveOne(system, alpha, context));
    const n = on.support.rows;
    const { k } = system;
    return fittedKernel(
      { ...facts, classes: labels.names, features: on.support.cols, notes },
      {
        rows: on.support,
        centre: on.distances.centre,
        gamma,
        coef: matrix(n, k, new Float32Array(coef)),
        intercept: new Float32Array(k),
      },
      more,
    );
  }

  return {
    ...self,
    ...(chooses && { holdsOut: true }),
    bytesOf: (shape) => kernelBytes(params, shape, kernelRidgeBytes, () => 0),
    ...kernelFits(params, {
      exact: (on, labels, context) => inTurn(() => exact(on, labels, context)),
      async approximate(map, rows, labels, notes, context) {
        if (chooses) throw noChoice(rows.rows, params.exactRows);
        const { W, k } = await nystroemRidge(map, rows, labels, params.alpha, context);
        const coef = await landmarkCoefficients(map, W, k);
        return fittedKernel(
          { ...facts, classes: labels.names, features: rows.cols, notes: [...notes] },
          {
            ...map,
            rows: matrixRows(map.Z),
            coef: matrix(map.Z.rows, k, new Float32Array(coef)),
            intercept: new Float32Array(k),
          },
        );
      },
    }),
  };
}

function choiceNote({ gamma, alpha, gammas, alphas, errors }: KernelChoice): string {
  const least = Math.min(...errors.flat()).toFixed(4);
  const width = Number(gamma.toPrecision(4));
  const of = `${gammas.length} gammas and ${alphas.length} alphas`;
  return `gamma ${width} and alpha ${alpha} have the least squared leave-one-out error, ${least}, of ${of}`;
}

const noChoice = (rows: number, exactRows: number): PermafrostError =>
  new PermafrostError(
    'FIT_INVALID',
    `${OWNER} chooses from gammas and alphas by leave-one-out on an exact kernel, and there are ${rows} training rows, more than exactRows (${exactRows}). Give a single gamma and alpha, raise exactRows, or sweep.`,
  );

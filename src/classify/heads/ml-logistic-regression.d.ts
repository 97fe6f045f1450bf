/** What permafrost uses of the package ml-logistic-regression 2.0.0, which brings no types. */
declare module 'ml-logistic-regression' {
  import type { Matrix } from 'ml-matrix';

  export default class LogisticRegression {
    constructor(options: { numSteps: number; learningRate: number });
    /** One classifier a class, with the class itself as target 0 and the rest as 1. */
    readonly classifiers: readonly { readonly weights: Matrix }[];
    /** Y is a column of class indices 0, 1, 2 ... */
    train(X: Matrix, Y: Matrix): void;
  }
}

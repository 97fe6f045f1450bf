import { describe } from 'vitest';
import { createEngine } from '../../../src/extract/engines/index.ts';
import { itAgreesWithKeras } from './golden-parity.ts';

describe('the onnxruntime engine', () => {
  // Both sides sum the same float32 products in another order; thirteen layers deep that makes about 1e-5 of the largest value.
  itAgreesWithKeras(() => createEngine('onnxruntime'), 1e-4);
});

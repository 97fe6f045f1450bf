import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../../src/extract/engines/index.ts';
import { itIsAnEngine } from '../engine-contract.ts';
import { itAgreesWithKeras } from '../golden-parity.ts';

const makeEngine = () => createEngine('tfjs', {package: process.env.P ?? 'node-gpu'});

describe('the tfjs engine', () => {
  itIsAnEngine(makeEngine, { reference: 5e-6, batch: 1e-5 });
  itAgreesWithKeras(makeEngine, 1e-4);
  it('x', async () => { const {version, notes, device} = await makeEngine(); console.log(version, notes, device); expect(1).toBe(1); });
});

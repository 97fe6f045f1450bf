import { describe, expect, it } from 'vitest';
import { createTrainer } from '../../../../src/extract/engines/trainers.ts';
import { hasOpenVino, needsOpenVino } from '../../../support/openvino.ts';
import { itHasTheGradientsOfTensorFlow } from '../golden-gradients.ts';
import { itIsATrainer } from '../trainer-contract.ts';

describe.skipIf(!hasOpenVino)(needsOpenVino('the openvino trainer'), () => {
  itIsATrainer(() => createTrainer('openvino'));
  itHasTheGradientsOfTensorFlow(() => createTrainer('openvino'), 2e-5);

  it('leaves JavaScript its thread while a step computes', async () => {
    const trainer = await createTrainer('openvino');
    const step = await trainer.loadStep({
      layers: [{ kind: 'conv', name: 'a', inputs: 256, filters: 256 }],
      input: { height: 28, width: 28, channels: 256 },
      batch: 16,
      head: { pooling: 'avg', norm: 'l2', classes: 2 },
    });
    let turns = 0;
    const turn = setInterval(() => turns++, 1);
    await step.run();
    clearInterval(turn);
    expect(turns).toBeGreaterThan(0);
    await step.dispose();
  });
});

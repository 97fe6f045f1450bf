import { describe, expect, it } from 'vitest';
import { adviceSentences, strategiesText } from '../../src/report/strategies-report.ts';
import { runText } from '../../src/report/run-report.ts';
import { headResult, ODD_NAME, ODD_SHOWN, runResult } from '../support/results.ts';
import { strategiesResult, strategyTrial } from '../support/strategies.ts';

const { advice } = strategiesResult();

describe('the strategies in a terminal', () => {
  it('are a table with the tests beside the frozen head, what was left out, remarks and the advice', () => {
    expect(strategiesText(strategiesResult())).toBe(`
The four strategies of the 2020 report, trained on 245 images, validated on 153 (val), in 2 min 40 s (trainings may take 3 minutes, --strategies-minutes):
strategy               trained                    accuracy on val     95 % interval      beside frozen  log loss      beside frozen  held-out log loss (frozen)    time  peak memory  chosen
---------------------  -------------------------  ---------------  ----------------  -----------------  --------  -----------------  --------------------------  ------  -----------  --------------------
1 head only            frozen head                         0.9300  0.8800 .. 0.9600                       0.2000                                         0.1700  42.4 s      1.5 GiB  C=30
3 freeze early layers  trained from block5_conv1           0.9600  0.9100 .. 0.9800  +0.0300 (p 0.360)    0.1200  -0.0800 (p 0.020)             0.1500 (0.3100)  42.4 s      1.5 GiB  rate=0.0001 epochs=1

Differences are to the frozen head on the same 153 val images: McNemar's exact test of the accuracies, the paired t test of the log losses, Holm's adjustment for 1 comparison. What is held out of the training images chooses and advises; val does not.
2 retrain all layers: all layers was left out: an epoch takes 4 min 2 s, 30.0 s were left.
trained from block5_conv1: Two epochs of four had room in the time.

Advice:
The data set is small: the median class has 122.5 training images, and large begins at 200; no earlier layer serves better, so its pictures count as like those of ImageNet (cross-validated on the training images, the head on block4_pool is right on 0.8694, that on block5_pool on 0.9265, p 0.013).
For such a data set the report advises: keep the network frozen and train a head on its features.
On held-out training images the log loss was lower with 3 freeze early layers too: more images would tell whether that is more than chance.
`);
  });

  it('say that a frozen head was kept', () => {
    const trials = [...strategiesResult().trials.slice(0, 1), strategyTrial({ kept: 'frozen' })];
    expect(strategiesText(strategiesResult({ trials }))).toContain('frozen head kept; rate=0.0001 epochs=1');
  });

  it('make names printable', () => {
    const text = strategiesText(
      strategiesResult({ skipped: [{ strategy: 'retrain-all', name: 'all layers', reason: ODD_NAME }] }),
    );
    expect(text).toContain(ODD_SHOWN);
    expect(text).not.toContain('\u001b');
  });

  it('stand behind the heads of a run that tried them, and nowhere else', () => {
    const heads = [headResult()];
    const text = runText(runResult({ heads, strategies: strategiesResult() }));
    expect(text.indexOf('The four strategies')).toBeGreaterThan(text.indexOf('Best head'));
    expect(runText(runResult({ heads }))).not.toContain('strategies');
  });
});

describe('the advice in words', () => {
  it.each([
    [{ advised: 'freeze-early', measured: 'better', take: 'freeze-early', size: 'large' }, /agree:.* lower/s],
    [
      { advised: 'freeze-early', measured: 'no better', take: 'head-only', size: 'large' },
      /do not agree.*Take instead: keep the network frozen/s,
    ],
    [
      { advised: 'retrain-all', measured: 'not tried', take: 'freeze-early', size: 'large' },
      /train all layers on.*not tried here.*Take instead: fine-tune/s,
    ],
    [{ domain: 'unknown', layers: null }, /was not measured/],
    [{ domain: 'different' }, /unlike those of ImageNet, for an earlier layer serves better/],
  ] as const)('%j', (given, words) => {
    expect(adviceSentences({ ...advice, ...given }).join('\n')).toMatch(words);
  });
});

import type { Listener } from '../../../core/listener.ts';

/** A forward pass alone takes about a third of a step of training. */
const SCORING_SHARE = 1 / 3;

/** Reports work of several stages as one, in steps of training, so that the time left is that of all. */
export interface StepMeter {
  /** What is going on from now on. */
  stage: string;
  /** Batches that are left out, or come in addition. */
  expect(training: number, scoring: number): void;
  /** Batches that are known from before: done, and no part of the pace. */
  skip(training: number, scoring: number): void;
  trained(batches: number): void;
  scored(batches: number): void;
}

/** A meter that expects nothing yet. */
export function stepMeter(listener: Listener = {}): StepMeter {
  const started = performance.now();
  let [total, done, worked] = [0, 0, 0];
  function advance(steps: number): void {
    done += steps;
    worked += steps;
    const perSecond = (1000 * worked) / (performance.now() - started);
    const whole = Math.max(Math.ceil(total), Math.round(done));
    listener.progress?.({ stage: meter.stage, done: Math.round(done), total: whole, perSecond, unit: 'steps' });
  }
  const meter: StepMeter = {
    stage: '',
    expect: (training, scoring) => void (total += training + SCORING_SHARE * scoring),
    skip: (training, scoring) => void (done += training + SCORING_SHARE * scoring),
    trained: advance,
    scored: (batches) => advance(SCORING_SHARE * batches),
  };
  return meter;
}

import { describe, expect, it } from 'vitest';
import { stageClock } from '../../src/extract/stage-clock.ts';

describe('a stage clock', () => {
  it('gives each moment to one of load, wait, infer and write, and infer goes before the others', () => {
    let time = 0;
    const clock = stageClock(() => time);
    const after = (ms: number): void => void (time += ms);
    after(1000); // waiting for the first pixels
    clock.enter('load');
    after(2000);
    clock.enter('wait');
    clock.network(1);
    after(300);
    clock.network(1); // a second batch at the door
    clock.enter('write');
    after(400); // writing beside inference
    clock.network(-1);
    clock.network(-1);
    after(50); // writing alone
    clock.enter('wait');
    after(6);
    expect(clock.seconds()).toEqual({ load: 2, wait: 1.006, infer: 0.7, write: 0.05, read: 0, decode: 0 });
  });

  it('sums reading and decoding over the images, beside the others', () => {
    const clock = stageClock(() => 0);
    for (let i = 0; i < 3; i++) {
      clock.image('read', 1);
      clock.image('decode', 20);
    }
    expect(clock.seconds()).toEqual({ load: 0, wait: 0, infer: 0, write: 0, read: 0.003, decode: 0.06 });
  });
});

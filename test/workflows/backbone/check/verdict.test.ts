import { describe, expect, it } from 'vitest';
import { labelAlignment } from '../../../../src/classify/evaluate/label-alignment.ts';
import { matrix } from '../../../../src/core/matrix.ts';
import { random } from '../../../../src/core/random.ts';
import { presetContract } from '../../../../src/extract/contracts/presets.ts';
import { judged, type Scored } from '../../../../src/workflows/backbone/check/verdict.ts';
import { ownAgreement, standingOut } from '../../../../src/workflows/backbone/check/scores.ts';

const N = 100;
const classes = Int32Array.from({ length: N }, (_, i) => i % 2);
const contract = presetContract('imagenet', 224);

/** Scores of a contract that is right on so many images; its own classes stand out so far. */
function scored(what: string, right: number, own: number, others: Partial<Scored> = {}): Scored {
  const generator = random(5);
  const X = matrix(N, 2);
  X.data.set(Array.from({ length: N }, (_, i) => [classes[i]! ? 1 : -1, generator.normal()]).flat());
  return {
    what,
    contract,
    kind: 'arithmetic',
    right: Uint8Array.from({ length: N }, (_, i) => Number(i < right)),
    alignment: labelAlignment(X, classes),
    own: { standingOut: Float64Array.from({ length: N }, (_, i) => own + 0.1 * (i % 3)), agreement: 0.8 },
    ...others,
  };
}

describe('the verdict on a contract', () => {
  it('names the contract that is better, and the accuracy where that decides', () => {
    const { verdict, sentence, others } = judged('net', scored('stated', 60, 5), [
      scored('worse', 30, 5),
      scored('better', 90, 5),
    ]);
    expect(verdict).toBe('beaten');
    expect(sentence).toBe(
      'The contract of net looks wrong: "better" is right on 0.90 of these images, the stated one on 0.60.',
    );
    expect(others.map(({ what, told }) => [what, told])).toEqual([
      ['better', 'better'],
      ['worse', 'worse'],
    ]);
  });

  it('names the figure that decides where the accuracy does not', () => {
    const noise = (own: number): Float64Array => {
      const generator = random(9);
      return Float64Array.from({ length: N }, () => own + generator.normal());
    };
    const stated = scored('stated', 80, 0, { own: { standingOut: noise(5), agreement: 0.8 } });
    const { sentence } = judged('net', stated, [
      scored('surer', 81, 0, { own: { standingOut: noise(6).map((x) => 1.001 * x), agreement: 0.8 } }),
    ]);
    expect(sentence).toMatch(/"surer" makes the network surer of its own classes on these images \(6\.\d+ deviations/);
  });

  it('is that nothing beats it, or that it is best', () => {
    const stated = scored('stated', 90, 5);
    expect(judged('net', stated, [scored('alike', 89, 5)]).verdict).toBe('not told apart');
    expect(judged('net', stated, [scored('worse', 50, 5)]).verdict).toBe('best');
  });

  it('does not weigh how sure a network is of things that are merely larger', () => {
    const larger = scored('larger', 80, 9, { kind: 'geometry' });
    const [other] = judged('net', scored('stated', 80, 5), [larger]).others;
    expect(other).toMatchObject({ told: 'alike', decidedBy: [] });
    expect(other!.pValues).not.toHaveProperty('ownClasses');
  });

  it('does not weigh how sure a network is where the images are not of its classes, or its classes agree less', () => {
    const surer = (agreement: number): Scored =>
      scored('surer', 80, 9, { own: { standingOut: scored('', 80, 9).own!.standingOut, agreement } });
    const unknown = { own: { standingOut: scored('', 80, 5).own!.standingOut, agreement: 0.2 } };
    const stated = scored('stated', 80, 5, unknown);
    expect(judged('net', stated, [surer(0.3)])).toMatchObject({ verdict: 'not told apart', areKnown: false });
    expect(judged('net', stated, [surer(0.8)]).verdict).toBe('beaten');
    expect(judged('net', scored('stated', 80, 5), [surer(0.6)]).verdict).toBe('not told apart');
  });

  it('does not take a surer network for better where fewer images have neighbours of their class', () => {
    // Other images than the stated one is right on, so that the accuracies are not told apart.
    const surer = (right: number): Scored =>
      scored('surer', right, 9, { right: Uint8Array.from({ length: N }, (_, i) => Number(i >= 20 && i < 20 + right)) });
    expect(judged('net', scored('stated', 80, 5), [surer(76)]).verdict).toBe('beaten');
    expect(judged('net', scored('stated', 80, 5), [surer(73)]).verdict).toBe('not told apart');
  });

  it('says of another geometry that it is these images that want it', () => {
    const { sentence } = judged('net', scored('stated', 60, 5), [scored('squashed', 90, 5, { kind: 'geometry' })]);
    expect(sentence).toMatch(/^The contract of net looks wrong for these images: "squashed"/);
  });

  it('takes a difference for none that is sure and too small to matter', () => {
    const standingOut = scored('', 80, 5).own!.standingOut.map((x, i) => x + 0.01 + 0.001 * (i % 2));
    const [other] = judged('net', scored('stated', 80, 5), [
      scored('same', 80, 5, { own: { standingOut, agreement: 0.8 } }),
    ]).others;
    expect(other!.pValues!.ownClasses).toBeLessThan(0.001);
    expect(other!.told).toBe('alike');
  });
});

describe('how far the likeliest class stands out', () => {
  it('does not depend on the scale of the logits, nor on whether they were made probabilities', () => {
    const logits = matrix(1, 4);
    logits.data.set([3, 1, 0, -1]);
    const [own] = standingOut(logits);
    expect(own).toBeCloseTo((3 - 0.75) / Math.sqrt(35 / 16), 6);
    const scaled = matrix(1, 4);
    scaled.data.set(logits.data.map((x) => 10 * x + 7));
    expect(standingOut(scaled)[0]).toBeCloseTo(own!, 5);
    const probabilities = matrix(1, 4);
    const sum = logits.data.reduce((total, x) => total + Math.exp(x), 0);
    probabilities.data.set(logits.data.map((x) => Math.exp(x) / sum));
    expect(standingOut(probabilities)[0]).toBeCloseTo(own!, 5);
    expect(standingOut(matrix(1, 4))[0]).toBe(0);
  });
});

describe("how well the network's own classes tell the labels", () => {
  it('is 1 where each label has classes of its own, and nothing by chance', () => {
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2);
    const logits = matrix(40, 4);
    labels.forEach((label, i) => (logits.data[i * 4 + label] = 1));
    expect(ownAgreement(logits, labels, 2)).toBe(1);
    const generator = random(3);
    const chance = matrix(400, 4);
    chance.data.set(chance.data.map(() => generator.normal()));
    const many = Int32Array.from({ length: 400 }, (_, i) => i % 2);
    expect(Math.abs(ownAgreement(chance, many, 2))).toBeLessThan(0.2);
  });
});

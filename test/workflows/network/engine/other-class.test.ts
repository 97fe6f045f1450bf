import { describe, expect, it } from 'vitest';
import { howToAllow, mayStandIn } from '../../../../src/workflows/network/engine/other-class.ts';

const [fp32, bf16, int8] = ['onnxruntime/cpu/fp32', 'openvino/cpu/bf16', 'openvino/cpu/int8'] as const;

describe('an engine of another class', () => {
  it('may stand in between fp32 and bf16 unless nothing may, and for int8 by name alone', () => {
    for (const [other, own] of [
      [fp32, bf16],
      [bf16, fp32],
    ] as const) {
      expect(mayStandIn(other, own, 'checked')).toBe(true);
      expect(mayStandIn(other, own, 'none')).toBe(false);
    }
    for (const [other, own] of [
      [fp32, int8],
      [int8, bf16],
      [int8, 'onnxruntime/cpu/int8'],
    ] as const) {
      expect(mayStandIn(other, own, 'checked')).toBe(false);
      expect(mayStandIn(other, own, 'int8')).toBe(true);
    }
  });

  it('is allowed by what the error says', () => {
    for (const [other, own] of [
      [fp32, bf16],
      [fp32, int8],
    ] as const) {
      const allow = /--allow-engine (checked|int8)\.$/.exec(howToAllow(other, own))![1] as 'checked' | 'int8';
      expect(mayStandIn(other, own, allow)).toBe(true);
    }
  });
});

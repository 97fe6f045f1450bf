import { afterEach, describe, expect, it, vi } from 'vitest';
import { featureClass, variantsOf } from '../../../../src/extract/engines/choice/variants.ts';

const variant = (engine: string) => ({ engine, device: 'cpu', precision: 'fp32' });

describe('the class of features', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ['openvino', {}, 'openvino/cpu/fp32'],
    ['openvino', { ONEDNN_MAX_CPU_ISA: 'avx512_core' }, 'openvino/cpu/fp32/ONEDNN_MAX_CPU_ISA=AVX512_CORE'],
    ['openvino', { DNNL_MAX_CPU_ISA: 'AVX2' }, 'openvino/cpu/fp32/DNNL_MAX_CPU_ISA=AVX2'],
    [
      'openvino',
      { ONEDNN_CPU_ISA_HINTS: 'PREFER_YMM', ONEDNN_DEFAULT_FPMATH_MODE: 'BF16' },
      'openvino/cpu/fp32/ONEDNN_CPU_ISA_HINTS=PREFER_YMM,ONEDNN_DEFAULT_FPMATH_MODE=BF16',
    ],
    ['openvino', { ONEDNN_MAX_CPU_ISA: 'ALL', ONEDNN_DEFAULT_FPMATH_MODE: 'strict' }, 'openvino/cpu/fp32'],
    ['openvino', { TF_ENABLE_ONEDNN_OPTS: '0' }, 'openvino/cpu/fp32'],
    ['tfjs', { TF_ENABLE_ONEDNN_OPTS: '0' }, 'tfjs/cpu/fp32/TF_ENABLE_ONEDNN_OPTS=0'],
    ['onnxruntime', { ONEDNN_MAX_CPU_ISA: 'AVX2' }, 'onnxruntime/cpu/fp32'],
  ])('of %s under %j is %s', (engine, env, expected) => {
    expect(featureClass(variant(engine), env)).toBe(expected);
  });

  it('that was made under another limit is none that an engine of here continues', () => {
    const [plain, limited] = ['openvino/cpu/fp32', 'openvino/cpu/fp32/ONEDNN_MAX_CPU_ISA=AVX512_CORE'];
    vi.stubEnv('ONEDNN_MAX_CPU_ISA', '');
    expect(variantsOf([plain, limited])).toEqual([plain]);
    vi.stubEnv('ONEDNN_MAX_CPU_ISA', 'AVX512_CORE');
    expect(variantsOf([limited])).toEqual([plain]);
    expect(variantsOf([plain])).toEqual([]);
  });
});

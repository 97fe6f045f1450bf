import { describe, expect, it } from 'vitest';
import { candidates, toBeMeasured, type ChoiceFacts } from '../../../../src/extract/engines/choice/candidates.ts';
import { chooseEngine, type EngineChoice } from '../../../../src/extract/engines/choice/choose-engine.ts';
import { processorFrom, type Processor } from '../../../../src/extract/engines/choice/processor.ts';
import { engineClass, VARIANTS } from '../../../../src/extract/engines/choice/variants.ts';

const amx = processorFrom(['avx512f', 'avx512_bf16', 'amx_bf16']);
const avx512Bf16 = processorFrom(['avx512f', 'avx512_bf16']);
const noBf16 = processorFrom(['avx2']);

const facts = (given: Partial<ChoiceFacts> = {}): ChoiceFacts => ({
  request: { engine: 'auto', precision: 'auto' },
  processor: amx,
  held: [],
  installable: ['openvino'],
  ...given,
});

/** The choice on a machine where all engines but the missing ones run. */
function choose(given: Partial<ChoiceFacts>, missing: readonly string[] = []): EngineChoice | undefined {
  const problem = 'It is not on this machine. Add it.';
  const tried = VARIANTS.map((variant) => ({
    variant,
    problem: missing.includes(variant.engine) ? problem : null,
  }));
  return chooseEngine(facts(given), tried);
}
const chosen = (...args: Parameters<typeof choose>) => engineClass(choose(...args)!.variant);

describe('the choice of engine', () => {
  it.each([
    ['amx_bf16', amx],
    ['avx512_bf16', avx512Bf16],
  ])('is openvino in bf16 where the processor has %s, and says so', (unit, processor) => {
    const choice = choose({ processor })!;
    expect(engineClass(choice.variant)).toBe('openvino/cpu/bf16');
    expect(choice.why).toBe(`the fastest here: the processor has ${unit}`);
    expect(choice.details.join()).toContain('0.9998');
    expect(choice.hint).toBeUndefined();
  });

  it('passes over an engine that does not run the network, without a word of adding it', () => {
    const choice = choose({ isGraph: true, unable: ['openvino'] })!;
    expect(engineClass(choice.variant)).toBe('onnxruntime/cpu/fp32');
    expect(choice.why).toBe('what serves this here');
    expect(choice.hint).toBeUndefined();
    const asked = { engine: 'auto', precision: 'bf16' } as const;
    expect(choose({ request: asked, isGraph: true, unable: ['openvino'] })).toBeUndefined();
  });

  it('is openvino in fp32 where the processor has no bf16 units, or where that is not known, and says so', () => {
    expect(chosen({ processor: noBf16 })).toBe('openvino/cpu/fp32');
    expect(choose({ processor: noBf16 })!.why).toMatch(/no units for bf16/);
    const unknown = processorFrom(undefined);
    expect(chosen({ processor: unknown })).toBe('openvino/cpu/fp32');
    expect(choose({ processor: unknown })!.why).toMatch(/not known, --precision bf16 tries it/);
  });

  it('is onnxruntime where OpenVINO is missing: why, what would be faster, and how to get it', () => {
    const { variant, why, faster, hint } = choose({}, ['openvino'])!;
    expect(engineClass(variant)).toBe('onnxruntime/cpu/fp32');
    expect(why).toBe('the fastest here without openvino');
    expect(hint).toBe('Faster here: npx permafrost engines add openvino (bf16, about 8x).');
    expect(faster.join()).toMatch(/openvino\/cpu\/bf16 \(about 8 times as fast\): npx permafrost engines add openvino/);
  });

  it('hints at what a command adds alone, and only where it gains enough and nothing was settled before', () => {
    expect(choose({ processor: avx512Bf16 }, ['openvino'])!.hint).toMatch(/bf16, about 2\.1x/);
    expect(choose({ installable: [] }, ['openvino'])!.hint).toBeUndefined();
    expect(choose({ processor: noBf16 }, ['openvino'])!.hint).toMatch(/add openvino \(fp32, about 1\.8x\)/);
    const measured = new Map([['onnxruntime-winograd/cpu/fp32', 1.7]]);
    expect(choose({ processor: noBf16, measured }, ['openvino'])!.hint).toBeUndefined();
    expect(choose({ held: ['onnxruntime/cpu/fp32'] }, ['openvino'])!.hint).toBeUndefined();
    const asked = { engine: 'onnxruntime', precision: 'fp32' } as const;
    expect(choose({ request: asked }, ['openvino'])!.hint).toBeUndefined();
    const int8 = { engine: 'auto', precision: 'int8' } as const;
    expect(choose({ request: int8 }, ['openvino'])!.hint).toMatch(/add openvino \(int8, about 4x\)/);
  });

  it('does not speak of engines that it would not have taken', () => {
    expect(choose({}, ['tfjs'])!.why).toBe('the fastest here: the processor has amx_bf16');
  });

  it('is int8 only when asked for, and bf16 without units only when asked for, with a warning', () => {
    for (const processor of [amx, avx512Bf16, noBf16]) {
      expect(candidates(facts({ processor })).some(({ precision }) => precision === 'int8')).toBe(false);
      expect(chosen({ processor, request: { engine: 'auto', precision: 'int8' } })).toBe('openvino/cpu/int8');
    }
    const request = { engine: 'openvino', precision: 'bf16' } as const;
    expect(choose({ processor: noBf16, request })!.why).toMatch(/as asked, though fp32 is faster: no units/);
  });

  it('serves a request for one engine or one precision', () => {
    expect(chosen({ request: { engine: 'onnxruntime', precision: 'auto' } })).toBe('onnxruntime/cpu/fp32');
    expect(chosen({ request: { engine: 'auto', precision: 'fp32' } })).toBe('openvino/cpu/fp32');
    expect(chosen({ request: { engine: 'auto', precision: 'fp32' } }, ['openvino'])).toBe('onnxruntime/cpu/fp32');
    expect(chosen({ request: { engine: 'openvino', precision: 'fp32' } })).toBe('openvino/cpu/fp32');
  });

  it('is the engine that must be measured only where it was, gained enough, and nothing better is here', () => {
    const winograd = 'onnxruntime-winograd/cpu/fp32';
    const measured = new Map([[winograd, 1.7]]);
    expect(chosen({}, ['openvino'])).toBe('onnxruntime/cpu/fp32');
    expect(chosen({ measured: new Map([[winograd, 1.19]]) }, ['openvino'])).toBe('onnxruntime/cpu/fp32');
    const { variant, why } = choose({ measured }, ['openvino'])!;
    expect(engineClass(variant)).toBe(winograd);
    expect(why).toBe('the fastest here without openvino: measured, 1.7x onnxruntime');
    expect(chosen({ measured })).toBe('openvino/cpu/bf16');
    expect(chosen({ measured, request: { engine: 'auto', precision: 'fp32' } }, ['openvino'])).toBe(winograd);
    const asked = { engine: 'onnxruntime', precision: 'auto' } as const;
    expect(chosen({ measured, request: asked })).toBe('onnxruntime/cpu/fp32');
    expect(chosen({ measured, held: ['onnxruntime/cpu/fp32'] }, ['openvino'])).toBe('onnxruntime/cpu/fp32');
    // Stored features are continued unmeasured.
    expect(chosen({ held: [winograd] })).toBe(winograd);
  });

  it('is measured only where that can change it', () => {
    const variantOf = (name: string) => VARIANTS.find((variant) => engineClass(variant) === name)!;
    const named = (name: string, given: Partial<ChoiceFacts> = {}) =>
      toBeMeasured(variantOf(name), facts(given))[0]?.engine;
    expect(named('onnxruntime/cpu/fp32')).toBe('onnxruntime-winograd');
    expect(named('onnxruntime/cpu/fp32', { request: { engine: 'auto', precision: 'fp32' } })).toBe(
      'onnxruntime-winograd',
    );
    for (const faster of ['openvino/cpu/bf16', 'openvino/cpu/fp32']) expect(named(faster)).toBeUndefined();
    const others: readonly Partial<ChoiceFacts>[] = [
      { request: { engine: 'onnxruntime', precision: 'auto' } },
      { request: { engine: 'auto', device: 'webgpu', precision: 'auto' } },
      { request: { engine: 'auto', precision: 'int8' } },
      { held: ['onnxruntime/cpu/fp32'] },
      { measured: new Map([['onnxruntime-winograd/cpu/fp32', 1.1]]) },
    ];
    for (const given of others) expect(named('onnxruntime/cpu/fp32', given)).toBeUndefined();
  });

  describe('for a graph, of whose speed nothing is known', () => {
    const graph = { isGraph: true } as const;
    const [bf16, fp32, reference] = ['openvino/cpu/bf16', 'openvino/cpu/fp32', 'onnxruntime/cpu/fp32'];
    const measuredOf = (first: string, missing: readonly string[] = [], given: Partial<ChoiceFacts> = {}) =>
      toBeMeasured(
        VARIANTS.find((variant) => engineClass(variant) === first && !missing.includes(variant.engine))!,
        facts({ ...graph, ...given }),
      ).map(engineClass);

    it('measures what is here beside onnxruntime, and takes the fastest', () => {
      expect(measuredOf(bf16)).toEqual([bf16, fp32]);
      expect(measuredOf(fp32, [], { processor: noBf16 })).toEqual([fp32]);
      const measured = new Map([[reference, 1] as const, [bf16, 2.7] as const, [fp32, 1.4] as const]);
      expect(choose({ ...graph, measured })).toMatchObject({ why: 'the fastest here: measured, 2.7x onnxruntime' });
      expect(chosen({ ...graph, measured })).toBe(bf16);
      const slower = new Map([[reference, 1] as const, [bf16, 0.4] as const, [fp32, 0.9] as const]);
      expect(chosen({ ...graph, measured: slower })).toBe(reference);
      expect(choose({ ...graph, measured: slower })!.why).toBe(
        'the fastest here: measured, openvino/cpu/bf16 0.4x, openvino/cpu/fp32 0.9x',
      );
    });

    it('measures nothing where the answer changes nothing', () => {
      expect(measuredOf(reference)).toEqual([]);
      expect(measuredOf(bf16, [], { request: { engine: 'openvino', precision: 'auto' } })).toEqual([]);
      expect(measuredOf(bf16, [], { request: { engine: 'auto', precision: 'bf16' } })).toEqual([]);
      expect(measuredOf(fp32, [], { held: [fp32] })).toEqual([]);
      const measured = new Map([[reference, 1] as const, [bf16, 2.7] as const, [fp32, 1.4] as const]);
      expect(measuredOf(bf16, [], { measured })).toEqual([]);
    });

    it('promises no speeds that were measured on VGG16', () => {
      const { why, hint, details } = choose({ ...graph, processor: noBf16 }, ['openvino', 'tfjs'])!;
      expect(why).toBe('what serves this here without openvino');
      expect(hint).toBe('It may be faster with openvino, which is then measured: npx permafrost engines add openvino.');
      expect(details).toEqual([]);
    });

    it.each(['onnxruntime-winograd', 'tfjs'] as const)('is never %s, and says why', (engine) => {
      expect(candidates(facts(graph)).map((variant) => variant.engine)).not.toContain(engine);
      expect(() => candidates(facts({ ...graph, request: { engine, precision: 'auto' } }))).toThrow(
        `The engine ${engine} builds its own operators of lists of layers (VGG16, VGG19), and this network is a graph. Take --engine onnxruntime, or openvino.`,
      );
    });
  });

  it('refuses what no machine has, and is nothing where nothing runs', () => {
    expect(() => candidates(facts({ request: { engine: 'onnxruntime', precision: 'bf16' } }))).toThrow(
      /no engine onnxruntime on the device auto in bf16\. There is: onnxruntime\/cpu\/int8, .*onnxruntime\/cpu\/fp32/,
    );
    expect(choose({}, ['openvino', 'onnxruntime'])).toBeUndefined();
  });

  it('takes an engine or a device that is never chosen by itself where it is asked for by name', () => {
    const precision = 'auto';
    expect(chosen({ request: { engine: 'onnxruntime-winograd', precision } })).toBe('onnxruntime-winograd/cpu/fp32');
    expect(chosen({ request: { engine: 'tfjs', precision } })).toBe('tfjs/gpu/fp32');
    expect(chosen({ request: { engine: 'tfjs', device: 'cpu', precision } })).toBe('tfjs/cpu/fp32');
    expect(chosen({ request: { engine: 'auto', device: 'webgpu', precision } })).toBe('onnxruntime/webgpu/fp32');
    expect(chosen({ request: { engine: 'onnxruntime', device: 'cuda', precision } })).toBe('onnxruntime/cuda/fp32');
    expect(() => candidates(facts({ request: { engine: 'openvino', device: 'webgpu', precision } }))).toThrow(
      /no engine openvino on the device webgpu/,
    );
  });

  it('stays with the engine of the stored features, says so, and says what would be faster', () => {
    const held = ['onnxruntime/cpu/fp32'];
    const { variant, why, faster } = choose({ held })!;
    expect(engineClass(variant)).toBe('onnxruntime/cpu/fp32');
    expect(why).toBe('it made the stored features; --engine and --precision switch');
    expect(faster.join()).toContain('--engine openvino --precision bf16');
    expect(chosen({ held: ['openvino/cpu/fp32', 'openvino/cpu/bf16'] })).toBe('openvino/cpu/fp32');
  });

  it('leaves the engine of the stored features where that is missing, unknown or not asked for', () => {
    expect(chosen({ held: ['openvino/cpu/bf16'] }, ['openvino'])).toBe('onnxruntime/cpu/fp32');
    expect(chosen({ held: ['another/gpu/fp16', 'openvino/cpu/int8'] })).toBe('openvino/cpu/bf16');
    const request = { engine: 'auto', precision: 'bf16' } as const;
    expect(chosen({ held: ['onnxruntime/cpu/fp32'], request })).toBe('openvino/cpu/bf16');
  });
});

describe('the processor', () => {
  it.each<[string, Processor['bf16'], string | null]>([
    ['', 'amx_bf16', null],
    ['AVX512_CORE_AMX', 'amx_bf16', null],
    ['nonsense', 'amx_bf16', null],
    ['avx512_core_bf16', 'avx512_bf16', 'avx512_core_bf16'],
    ['AVX512_CORE', null, 'AVX512_CORE'],
    ['AVX2', null, 'AVX2'],
  ])('with ONEDNN_MAX_CPU_ISA=%s has %s', (limit, bf16, told) => {
    expect(processorFrom(['avx512_bf16', 'amx_bf16'], limit)).toEqual({ bf16, known: true, limit: told });
  });

  it('is not limited in what it does not have', () => {
    expect(processorFrom(['avx2'], 'AVX2')).toEqual({ bf16: null, known: true, limit: null });
  });
});

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** What decides how fast a network runs: vector and matrix units, in Linux' names of the x86 flags; the last three are Arm's. */
export const CPU_FEATURES = [
  'avx2',
  'avx512f',
  'avx512_vnni',
  'avx512_bf16',
  'amx_tile',
  'amx_bf16',
  'amx_int8',
  'neon',
  'bf16',
  'i8mm',
] as const;
export type CpuFeature = (typeof CPU_FEATURES)[number];

export interface Cpu {
  /** False where the system does not tell (Windows): `features` is empty then and says nothing. */
  readonly known: boolean;
  readonly features: ReadonlySet<CpuFeature>;
  /** The instruction set to which ONEDNN_MAX_CPU_ISA limits oneDNN, and with it OpenVINO; null without a limit. */
  readonly limit: string | null;
}

/** The features that oneDNN uses under each value of ONEDNN_MAX_CPU_ISA (oneDNN developer guide, "CPU Dispatcher Control"). */
const UP_TO_VNNI = ['avx2', 'avx512f', 'avx512_vnni'] as const;
const UP_TO_BF16 = [...UP_TO_VNNI, 'avx512_bf16'] as const;
const UP_TO_AMX = [...UP_TO_BF16, 'amx_tile', 'amx_bf16', 'amx_int8'] as const;
const LIMITS: Readonly<Record<string, readonly CpuFeature[]>> = {
  SSE41: [],
  AVX: [],
  AVX2: ['avx2'],
  AVX2_VNNI: ['avx2'],
  AVX2_VNNI_2: ['avx2'],
  AVX512_CORE: ['avx2', 'avx512f'],
  AVX512_CORE_VNNI: UP_TO_VNNI,
  AVX512_CORE_BF16: UP_TO_BF16,
  AVX512_CORE_FP16: UP_TO_BF16,
  AVX10_1_512: UP_TO_BF16,
  AVX512_CORE_AMX: UP_TO_AMX,
  AVX10_1_512_AMX: UP_TO_AMX,
};

const isFeature = (word: string): word is CpuFeature => (CPU_FEATURES as readonly string[]).includes(word);

/** The features in the text of /proc/cpuinfo: `flags` on x86, `Features` on Arm (asimd is its name of NEON). */
export function featuresOfCpuinfo(text: string): Set<CpuFeature> {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1] ?? '';
  return new Set(
    line
      .trim()
      .split(/\s+/)
      .map((word) => (word === 'asimd' ? 'neon' : word))
      .filter(isFeature),
  );
}

/** macOS' names in `sysctl hw.optional`. */
const SYSCTL: Readonly<Record<string, CpuFeature>> = {
  'hw.optional.avx2_0': 'avx2',
  'hw.optional.avx512f': 'avx512f',
  'hw.optional.avx512vnni': 'avx512_vnni',
  'hw.optional.neon': 'neon',
  'hw.optional.AdvSIMD': 'neon',
  'hw.optional.arm.FEAT_BF16': 'bf16',
  'hw.optional.arm.FEAT_I8MM': 'i8mm',
};

/** The features in the output of `sysctl hw.optional`. */
export function featuresOfSysctl(text: string): Set<CpuFeature> {
  const found = [...text.matchAll(/^(\S+): 1$/gm)].map(([, name]) => SYSCTL[name!]);
  return new Set(found.filter((feature) => feature !== undefined));
}

/** A processor under ONEDNN_MAX_CPU_ISA: values that limit nothing here (DEFAULT, later sets) leave it as it is. */
export function limitedCpu(features: ReadonlySet<CpuFeature>, isa: string | undefined): Cpu {
  const name = isa?.toUpperCase() ?? '';
  const allowed = Object.hasOwn(LIMITS, name) ? LIMITS[name]! : undefined;
  const removed = [...features].filter((feature) => allowed !== undefined && !allowed.includes(feature));
  if (removed.length === 0) return { known: true, features, limit: null };
  return {
    known: true,
    features: new Set([...features].filter((feature) => !removed.includes(feature))),
    limit: name,
  };
}

/**
 * What this processor can do, as far as oneDNN may use it: /proc/cpuinfo on Linux, sysctl on macOS, unknown elsewhere. Reads
 * ONEDNN_MAX_CPU_ISA. Never throws.
 */
export async function detectCpu(
  platform: NodeJS.Platform = process.platform,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Cpu> {
  const unknown: Cpu = { known: false, features: new Set(), limit: null };
  try {
    if (platform === 'linux') {
      return limitedCpu(featuresOfCpuinfo(await readFile('/proc/cpuinfo', 'utf8')), env.ONEDNN_MAX_CPU_ISA);
    }
    if (platform === 'darwin') {
      const { stdout } = await promisify(execFile)('sysctl', ['hw.optional'], { timeout: 5000 });
      return limitedCpu(featuresOfSysctl(stdout), env.ONEDNN_MAX_CPU_ISA);
    }
    return unknown;
  } catch {
    // No /proc in a sandbox, no sysctl: the processor stays unknown, which the caller says.
    return unknown;
  }
}

/** Whether bf16 runs on units of its own. Without them oneDNN emulates it: three times slower than fp32 on a Zen 4 limited to AVX512_CORE. */
export function hasBf16Units({ features }: Cpu): boolean {
  return features.has('amx_bf16') || features.has('avx512_bf16');
}

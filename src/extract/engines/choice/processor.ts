import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** What of a processor decides which precision pays. */
export interface Processor {
  /** Its best unit for bf16 in Linux' words, null where it has none. */
  readonly bf16: 'amx_bf16' | 'avx512_bf16' | null;
  /** False where the system does not tell: `bf16` is null then. */
  readonly known: boolean;
  /** The value of ONEDNN_MAX_CPU_ISA where that hides units which the processor has. */
  readonly limit: string | null;
}

// Values of ONEDNN_MAX_CPU_ISA (oneDNN's "CPU Dispatcher Control"); with any other, oneDNN uses all units.
const WITHOUT_BF16 = new Set(['SSE41', 'AVX', 'AVX2', 'AVX2_VNNI', 'AVX2_VNNI_2', 'AVX512_CORE', 'AVX512_CORE_VNNI']);
const WITHOUT_AMX = new Set([...WITHOUT_BF16, 'AVX512_CORE_BF16', 'AVX512_CORE_FP16', 'AVX10_1_512']);

/**
 * The processor by `flags` (the words of /proc/cpuinfo, if any), within oneDNN's limit. OpenVINO's own
 * OPTIMIZATION_CAPABILITIES name BF16 also where it is emulated, and ignore the limit.
 */
export function processorFrom(flags: readonly string[] | undefined, limit = ''): Processor {
  if (flags === undefined) return { bf16: null, known: false, limit: null };
  const best = (isHidden: (unit: string) => boolean): Processor['bf16'] =>
    (['amx_bf16', 'avx512_bf16'] as const).find((unit) => flags.includes(unit) && !isHidden(unit)) ?? null;
  const isa = limit.toUpperCase();
  const bf16 = best((unit) => (unit === 'amx_bf16' ? WITHOUT_AMX : WITHOUT_BF16).has(isa));
  return { bf16, known: true, limit: bf16 === best(() => false) ? null : limit };
}

const CPU_INFO = '/proc/cpuinfo';

/** The processor's features in Linux' words, known on x86. */
function readFlags(): string[] | undefined {
  const text = existsSync(CPU_INFO) ? readFileSync(CPU_INFO, 'utf8') : '';
  return /^flags\s*:\s*(.*)$/m.exec(text)?.[1]?.split(' ');
}

/** This machine's processor, known on Linux on x86. */
export function readProcessor(): Processor {
  return processorFrom(readFlags(), process.env['ONEDNN_MAX_CPU_ISA']);
}

/** What runtimes choose their kernels by: the model, and its features where the system names them. */
export function processorIdentity(): { readonly model: string; readonly features: string } {
  const model = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${process.platform} ${process.arch}`;
  return { model, features: (readFlags() ?? []).toSorted().join(' ') };
}

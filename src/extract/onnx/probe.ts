import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { cacheFolder } from '../../core/machine/cache-folder.ts';
import { onnxRuntime } from '../../core/onnxruntime.ts';
import type { OnnxFile } from '../backbones/onnx-file.ts';
import type { Probed, ProbeRequest } from './probing/measure-cuts.ts';
import { measureInProcess, type PlainProbed, type ProbeLimits } from './probing/probe-process.ts';

export type { Probed, ProbeRequest } from './probing/measure-cuts.ts';

/** Of what is measured and how: another number measures all files anew. */
const VERSION = 1;

/** What decides what a probe finds. Whatever else the contract says happens before pixels enter the network. */
async function keyOf({ digest }: OnnxFile, request: ProbeRequest): Promise<string> {
  const { input, layout, cuts = [], prefix, prefixes = new Map<string, number>(), contract } = request;
  const { env } = await onnxRuntime();
  const { size, channelOrder, mean, scale } = contract;
  const asked = { input, layout, prefix, prefixes: [...prefixes].sort(), cuts: [...cuts].sort() };
  const facts = { digest, size, channelOrder, mean, scale, ...asked };
  return sha256Hex(canonicalJson({ ...facts, runtime: env.versions.node ?? env.versions.common, version: VERSION }));
}

/** What is kept under a key; undefined where there is no file, or one that is not whole. */
async function readKept(file: string, key: string): Promise<PlainProbed | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, 'utf8')) as { key: string; digest: string; probed: PlainProbed };
    return kept.key === key && kept.digest === sha256Hex(canonicalJson(kept.probed)) ? kept.probed : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
}

/** Keeps it for later. A folder that cannot be written costs the time of measuring again, nothing else. */
async function keep(file: string, key: string, probed: PlainProbed): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(temporary, canonicalJson({ key, digest: sha256Hex(canonicalJson(probed)), probed }));
    await rename(temporary, file);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/**
 * What a graph's input and cuts are, measured by running it on a grey image and one of noise: in a process of its own,
 * with limits on time and memory, as files may be hostile; kept in the cache folder under the file's digest. `limits`:
 * when the process is stopped. Throws BACKBONE_INVALID, CONTRACT_INVALID; OPTION_INVALID for a tensor that is not there
 * or cannot be a cut.
 */
export async function probeGraph(file: OnnxFile, request: ProbeRequest, limits: ProbeLimits = {}): Promise<Probed> {
  const key = await keyOf(file, request);
  const kept = join(cacheFolder(), 'probes', `${key.slice(0, 32)}.json`);
  let probed = await readKept(kept, key);
  if (probed === undefined) {
    probed = await measureInProcess(file, request, limits);
    await keep(kept, key, probed);
  }
  const { input, cuts, ...rest } = probed;
  return { ...rest, input: { ...input, batch: input.batch }, cuts: new Map(cuts) };
}

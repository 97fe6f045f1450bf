import { join } from 'node:path';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { cacheFolder } from '../../core/machine/cache-folder.ts';
import { keep, readKept } from '../../core/machine/kept-json.ts';
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

/** What is kept, under what key, with its digest. */
interface Kept {
  readonly key: string;
  readonly digest: string;
  readonly probed: PlainProbed;
}

const digestOf = (probed: PlainProbed): string => sha256Hex(canonicalJson(probed));

/** What is kept under a key; undefined where there is no file, or one that is not whole. */
const keptProbe = (file: string, key: string): Promise<PlainProbed | undefined> =>
  readKept(file, (json) => {
    const kept = json as Kept;
    return kept.key === key && kept.digest === digestOf(kept.probed) ? kept.probed : undefined;
  });

/**
 * What a graph's input and cuts are, measured by running it on a grey image and one of noise: in a process of its own,
 * with limits on time and memory, as files may be hostile; kept in the cache folder under the file's digest. `limits`:
 * when the process is stopped. Throws BACKBONE_INVALID, CONTRACT_INVALID; OPTION_INVALID for a tensor that is not there
 * or cannot be a cut.
 */
export async function probeGraph(file: OnnxFile, request: ProbeRequest, limits: ProbeLimits = {}): Promise<Probed> {
  const key = await keyOf(file, request);
  const kept = join(cacheFolder('probes'), `${key.slice(0, 32)}.json`);
  let probed = await keptProbe(kept, key);
  if (probed === undefined) {
    probed = await measureInProcess(file, request, limits);
    // A folder that cannot be written costs the time of measuring again, nothing else.
    await keep(kept, { key, digest: digestOf(probed), probed } satisfies Kept);
  }
  const { input, cuts, ...rest } = probed;
  return { ...rest, input: { ...input, batch: input.batch }, cuts: new Map(cuts) };
}

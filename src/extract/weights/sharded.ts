import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readSafetensors, type SafeTensor } from '../../core/safetensors.ts';
import { fileInMemory, readWeightBytes, type WeightFile } from './weight-file.ts';

const CODE = 'WEIGHTS_CORRUPT';

/** The index of a set of shards as Hugging Face writes it; `shards` with sizes and digests is permafrost's addition. */
const indexSchema = z.object({
  metadata: z.object({ digest: z.string().optional() }).optional(),
  weight_map: z.record(z.string(), z.string()),
  shards: z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() })).optional(),
});

type ShardFacts = { readonly bytes: number; readonly sha256: string };

/** A sharded file; `digest` is the tensors' digest where the index states one. */
export interface ShardedFile extends WeightFile {
  readonly digest: string | undefined;
}

function parseIndex(path: string, bytes: Uint8Array): z.infer<typeof indexSchema> {
  try {
    return indexSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new PermafrostError(
      CODE,
      `${path} is not an index of safetensors shards: ${reasonOf(cause)}. Expected {"weight_map": {"tensor": "file.safetensors"}}.`,
      { cause },
    );
  }
}

async function readShard(path: string, facts: ShardFacts | undefined): Promise<ReadonlyMap<string, SafeTensor>> {
  const bytes = await readWeightBytes(path);
  if (facts !== undefined) {
    const found = { bytes: bytes.length, sha256: sha256Hex(bytes) };
    if (found.bytes !== facts.bytes || found.sha256 !== facts.sha256) {
      throw new PermafrostError(
        CODE,
        `${path} is damaged: found ${found.bytes} bytes with SHA-256 ${found.sha256}, the index expects ${facts.bytes} bytes with ${facts.sha256}. Restore the file from where it came from.`,
      );
    }
  }
  return readSafetensors(bytes, { name: path, code: CODE }).tensors;
}

/**
 * Reads the shards that an index names (`weight_map`: tensor name to file name), checked by size and SHA-256 where it
 * has them. Throws WEIGHTS_NOT_FOUND for a missing file, WEIGHTS_CORRUPT naming the damaged one.
 */
export async function readSharded(indexPath: string): Promise<ShardedFile> {
  const index = parseIndex(indexPath, await readWeightBytes(indexPath));
  const files = [...new Set(Object.values(index.weight_map))];
  for (const file of files) {
    if (file !== basename(file) || file.includes('\\')) {
      throw new PermafrostError(CODE, `${indexPath} names the shard "${file}". Shards must lie beside the index.`);
    }
  }
  const shards = new Map(
    await Promise.all(
      files.map(async (file) => [file, await readShard(join(dirname(indexPath), file), index.shards?.[file])] as const),
    ),
  );
  const tensors = new Map<string, SafeTensor>();
  for (const [name, file] of Object.entries(index.weight_map)) {
    const tensor = shards.get(file)?.get(name);
    if (tensor === undefined) {
      throw new PermafrostError(
        CODE,
        `${join(dirname(indexPath), file)} has no tensor "${name}", which ${basename(indexPath)} places there. Index and shards must come from one source.`,
      );
    }
    tensors.set(name, tensor);
  }
  return { ...fileInMemory(indexPath, tensors), digest: index.metadata?.digest };
}

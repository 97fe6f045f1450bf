import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { differences } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { isLayerBackbone } from '../../extract/backbones/backbone.ts';
import { BACKBONE_FILE, backboneJson, type BackboneDescription } from '../../extract/contracts/backbone-json.ts';
import type { BackboneResult } from '../../results/backbone-results.ts';
import type { DescribedNetwork } from './open-network.ts';

/** What is known of a graph, as its backbone.json says it. Throws CONTRACT_MISSING, OPTION_INVALID for layers. */
export function descriptionOf({ facts, network, description }: DescribedNetwork): BackboneDescription {
  if (facts.contractMissing !== null) throw new PermafrostError('CONTRACT_MISSING', facts.contractMissing);
  if (network === undefined || isLayerBackbone(network.backbone)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${facts.name} is a list of layers, which permafrost describes itself: a ${BACKBONE_FILE} is of an ONNX file.`,
    );
  }
  const { backbone, contract } = network;
  const { name, layout, dtype } = backbone.input;
  const pooling = /:[a-z]+$/.exec(backbone.defaultCut)?.[0] ?? '';
  const primary = backbone.defaultCut.slice(0, backbone.defaultCut.length - pooling.length);
  const tensor = backbone.aliases?.get(primary) ?? primary;
  const { axes, shape } = backbone.cuts.get(tensor)!;
  const { prefix } = shape;
  const own = { [primary]: { tensor, axes, ...(prefix !== undefined && { prefix }) } };
  return {
    name: backbone.name,
    ...(description?.licence !== undefined && { licence: description.licence }),
    ...(description?.source !== undefined && { source: description.source }),
    graph: { file: basename(backbone.file.path), sha256: backbone.file.digest, input: name, layout, dtype },
    contract,
    cuts: { ...own, ...description?.cuts },
    primary: backbone.defaultCut,
  };
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** How a file that lies there differs from what would be written, in a few words. */
function differing(there: string, text: string): string {
  try {
    return differences(JSON.parse(there), JSON.parse(text)).join('; ') || 'its layout alone';
  } catch {
    return 'it is no JSON';
  }
}

/**
 * Writes a description beside the network's file. Another one that lies there stays unless `overwrite` is asked for.
 * Throws OPTION_INVALID then, saying what differs; STORE_WRITE where the folder cannot be written.
 */
export async function writeDescription(
  described: DescribedNetwork,
  overwrite: boolean,
): Promise<NonNullable<BackboneResult['written']>> {
  const text = backboneJson(descriptionOf(described));
  const path = join(dirname(described.facts.file), BACKBONE_FILE);
  const there = await textOf(path);
  if (there === text) return { path, changed: false };
  if (there !== undefined && !overwrite) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${path} is there and says something else (there, not in what would be written: ${differing(there, text)}). Nothing was written. --overwrite replaces it.`,
    );
  }
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new PermafrostError('STORE_WRITE', `${path} cannot be written: ${reasonOf(cause)}.`, { cause });
  }
  return { path, changed: true };
}

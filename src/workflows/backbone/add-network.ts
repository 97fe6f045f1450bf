import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { factsOfFile } from '../../core/files/file-facts.ts';
import type { Listener } from '../../core/listener.ts';
import { addedFile, addedFolder, addedGraphs } from '../../extract/backbones/added-graphs.ts';
import { BACKBONE_FILE, backboneJson } from '../../extract/contracts/backbone-json.ts';
import { stageFolder } from '../../extract/engines/staged-folder.ts';
import { readOnnxFile } from '../../extract/onnx/read-onnx.ts';
import type { KnownBackbone, PresentBackbone } from '../../results/backbone-results.ts';
import { BACKBONE_NAMES } from '../network/backbone-options.ts';
import type { Work } from '../work.ts';
import { fetchFile, isAddress } from './fetch-file.ts';
import { KNOWN_NETWORKS } from './known-networks.ts';
import { describeNetwork, type DescribedNetwork } from './open-network.ts';
import type { BackbonesOptions } from './options.ts';
import { descriptionOf } from './write-description.ts';

async function sha256Of(path: string): Promise<string> {
  try {
    return (await factsOfFile(path)).sha256;
  } catch (cause) {
    throw new PermafrostError('BACKBONE_NOT_FOUND', `${path} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
}

/** The digest that is asked for, in lower case. Throws OPTION_INVALID. */
function requestedDigest({ sha256 }: BackbonesOptions, known: KnownBackbone | undefined): string | undefined {
  if (sha256 === '') return known?.sha256?.length === 64 && known.file.endsWith('.onnx') ? known.sha256 : undefined;
  const digest = sha256.toLowerCase().replace(/^sha256:/, '');
  if (/^[0-9a-f]{64}$/.test(digest)) return digest;
  throw new PermafrostError(
    'OPTION_INVALID',
    `--sha256 takes the 64 hex digits of a SHA-256, got "${sha256}" (${digest.length} characters).`,
  );
}

/** Refuses the weights that a known network is exported of: they are no network yet. */
function refuseWeights(path: string, digest: string): void {
  const known = KNOWN_NETWORKS.find(({ sha256 }) => sha256 !== null && digest.startsWith(sha256));
  if (known === undefined || known.file.endsWith('.onnx')) return;
  throw new PermafrostError(
    'BACKBONE_INVALID',
    `${path} is ${known.file}, the weights of ${known.name}, as its SHA-256 says. They have to be made an ONNX file:\n${known.commands.map((line) => `  ${line}`).join('\n')}\nThen: permafrost backbones add ${known.name}.onnx --name ${known.name}`,
  );
}

/** Opens the network in a file under what says its contract: the user, a description, or what is known of its name. */
async function describe(
  path: string,
  { contract, known, folder }: { contract: string; known: KnownBackbone | undefined; folder: string },
  listener: Listener,
): Promise<DescribedNetwork> {
  const found = await describeNetwork(path, { contract, weights: '', cut: '' }, listener);
  if (known === undefined) return found;
  if (found.facts.contract === null) {
    const file = join(folder, 'contract.json');
    await writeFile(file, JSON.stringify(known.contract));
    listener.note?.(`Preprocessing is what is known of ${known.name}.`);
    return describeNetwork(path, { contract: file, weights: '', cut: '' }, listener);
  }
  const differing = differences({ ...found.facts.contract, name: '' }, { ...known.contract, name: '' });
  if (differing.length > 0)
    listener.note?.(
      `${found.facts.contractFrom} counts; what is known of ${known.name} says otherwise (${differing.join('; ')}).`,
    );
  return found;
}

/** The name that a network is added under. Throws OPTION_INVALID for one that is taken or looks like a path. */
async function freeName(name: string, digest: string): Promise<string> {
  if (!/^[\w][\w.-]*$/.test(name) || name.toLowerCase().endsWith('.onnx')) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `"${name}" cannot be the name of a network: letters, digits, ".", "_" and "-" make one. Give another with --name.`,
    );
  }
  const other = (await addedGraphs()).find((added) => added.name === name && added.digest !== digest);
  if (!BACKBONE_NAMES.includes(name) && other === undefined) return name;
  const taken = other === undefined ? 'comes with permafrost' : `was added (SHA-256 ${other.digest})`;
  throw new PermafrostError(
    'OPTION_INVALID',
    `A network called "${name}" ${taken}. Give this one another name with --name${other === undefined ? '' : `, or remove that one: permafrost backbones remove ${name}`}.`,
  );
}

/**
 * Adds the network of an ONNX file, or of an http(s) address: verifies it, runs it on two images, and keeps it with its
 * description in the cache folder, where `--backbone NAME` finds it. Nothing is kept of what is wrong. Throws
 * BACKBONE_NOT_FOUND, BACKBONE_INVALID (another digest too), CONTRACT_MISSING, CONTRACT_INVALID, and OPTION_INVALID,
 * for an address without a digest too: it says which one it has.
 */
export async function addNetwork(
  given: string,
  options: BackbonesOptions,
  work: Work,
): Promise<PresentBackbone & { readonly verified: boolean }> {
  const known = KNOWN_NETWORKS.find(({ name }) => name === options.name);
  const wanted = requestedDigest(options, known);
  const folder = await mkdtemp(join(tmpdir(), 'permafrost-backbone-'));
  try {
    const path = isAddress(given) ? join(folder, 'network.onnx') : given;
    if (isAddress(given)) await fetchFile(given, path, work);
    const sha256 = await sha256Of(path);
    if (isAddress(given) && wanted === undefined) {
      throw new PermafrostError(
        'OPTION_INVALID',
        `What is fetched is verified, and nothing says which SHA-256 ${given} must have. Now it has ${sha256}: compare that with what its authors publish, and add it with --sha256 ${sha256}. Nothing was added.`,
      );
    }
    if (wanted !== undefined && sha256 !== wanted) {
      throw new PermafrostError(
        'BACKBONE_INVALID',
        `${given} has the SHA-256 ${sha256}, expected ${wanted}: it is another file, or damaged. Nothing was added.`,
      );
    }
    refuseWeights(given, sha256);
    const { digest } = await readOnnxFile(path);
    if (digest !== sha256) {
      throw new PermafrostError(
        'BACKBONE_INVALID',
        `${given} keeps values in files of their own, so it cannot be added by itself. Use it where it lies: --backbone ${given}; or save it as one file.`,
      );
    }
    const described = await describe(path, { contract: options.contract, known, folder }, work.listener ?? {});
    const description = descriptionOf(described);
    const name = await freeName(options.name || described.facts.name, digest);
    const { licence = known?.licence, source = isAddress(given) ? given : known?.source } = description;
    const kept = {
      ...description,
      name,
      ...(licence !== undefined && { licence }),
      ...(source !== undefined && { source }),
      graph: { ...description.graph, file: 'network.onnx' },
    };
    await stageFolder(
      join(addedFolder(), digest),
      async (staging) => {
        await copyFile(path, join(staging, 'network.onnx'));
        await writeFile(join(staging, BACKBONE_FILE), backboneJson(kept));
      },
      'STORE_WRITE',
    );
    return {
      name,
      kind: 'graph',
      origin: 'added',
      file: addedFile(digest),
      digest,
      licence: licence ?? null,
      needs: null,
      verified: wanted !== undefined,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

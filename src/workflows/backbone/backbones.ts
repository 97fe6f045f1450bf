import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import { suggest } from '../../core/suggest.ts';
import { addedGraphs } from '../../extract/backbones/added-graphs.ts';
import { BUNDLED_GRAPHS, bundledGraph } from '../../extract/backbones/bundled-graphs.ts';
import { LAYER_BACKBONES } from '../../extract/backbones/vgg.ts';
import { BACKBONE_FILE, readBackboneJson } from '../../extract/contracts/backbone-json.ts';
import { loadWeights } from '../../extract/weights/load-weights.ts';
import type { BackbonesResult, PresentBackbone } from '../../results/backbone-results.ts';
import type { Work } from '../work.ts';
import { addNetwork } from './add-network.ts';
import { KNOWN_NETWORKS } from './known-networks.ts';
import { BACKBONES_OPTIONS, type BackbonesOptions } from './options.ts';

export type { BackbonesOptions } from './options.ts';

export const BACKBONE_ACTIONS = ['list', 'add', 'remove'] as const;
/** What `backbones` does. */
export type BackboneAction = (typeof BACKBONE_ACTIONS)[number];

/** A list of layers: that of which no weights come with permafrost needs a file of them. */
async function presentLayers(backbone: (typeof LAYER_BACKBONES)[number]): Promise<PresentBackbone> {
  const { name } = backbone;
  const own = { name, kind: 'layers', origin: 'in the box' } as const;
  try {
    const { source, digest } = await loadWeights({ backbone });
    return { ...own, file: source, digest, licence: 'CC BY 4.0', needs: null };
  } catch (error) {
    if (!(error instanceof PermafrostError && error.code === 'WEIGHTS_NOT_FOUND')) throw error;
    return {
      ...own,
      file: null,
      digest: null,
      licence: null,
      needs: 'its weights: --weights FILE (Keras .h5, .safetensors)',
    };
  }
}

async function presentBundled(name: string): Promise<PresentBackbone> {
  const file = bundledGraph(name);
  const { licence = null, graph } = await readBackboneJson(`${dirname(file)}/${BACKBONE_FILE}`);
  return { name, kind: 'graph', origin: 'in the box', file, digest: graph.sha256, licence, needs: null };
}

/** The networks that `--backbone` takes by name. */
async function present(): Promise<PresentBackbone[]> {
  const added = (await addedGraphs()).map(({ name, path, digest, description }): PresentBackbone => ({
    name,
    kind: 'graph',
    origin: 'added',
    file: path,
    digest,
    licence: description.licence ?? null,
    needs: null,
  }));
  return [
    ...(await Promise.all(LAYER_BACKBONES.map(presentLayers))),
    ...(await Promise.all(BUNDLED_GRAPHS.map(presentBundled))),
    ...added,
  ];
}

async function removeNetwork(name: string): Promise<void> {
  const all = await addedGraphs();
  const found = all.find((added) => added.name === name);
  if (found === undefined) {
    const names = all.map((added) => added.name);
    throw new PermafrostError(
      'OPTION_INVALID',
      `No network was added as "${name}"${suggest(name, names)}. Added are: ${names.join(', ') || 'none'}.`,
    );
  }
  await rm(dirname(found.path), { recursive: true, force: true });
}

/**
 * Lists the networks that are there and those that can be added; adds one of a file or an address; or removes one that
 * was added. Throws OPTION_INVALID for an unknown action or name, and what addNetwork throws.
 */
export async function backbones(
  action: string = 'list',
  network?: string,
  given: Partial<BackbonesOptions> = {},
  work: Work = {},
): Promise<BackbonesResult> {
  const options = resolveOptions('backbones', BACKBONES_OPTIONS, given);
  const known = BACKBONE_ACTIONS.find((one) => one === action);
  if (known === undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `backbones has no action "${action}"${suggest(action, BACKBONE_ACTIONS)}. Choose one of: ${BACKBONE_ACTIONS.join(', ')}.`,
    );
  }
  if ((known === 'list') !== (network === undefined)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      known === 'list'
        ? `backbones list takes no network, got "${network}".`
        : `backbones ${known} needs ${known === 'add' ? 'an ONNX file or its address' : 'the name of a network that was added'}.`,
    );
  }
  const added = known === 'add' ? await addNetwork(network!, options, work) : null;
  if (known === 'remove') await removeNetwork(network!);
  const there = await present();
  const names = new Set(there.map(({ name }) => name));
  return {
    action: known,
    added,
    present: there,
    known: KNOWN_NETWORKS.filter(({ name }) => !names.has(name)),
  };
}

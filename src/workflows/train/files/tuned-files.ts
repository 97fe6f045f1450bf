import { PermafrostError } from '../../../core/errors.ts';
import type { FeatureSettings } from '../../../store/format/fingerprint.ts';
import { findManifest } from '../../../store/format/manifest-file.ts';
import { layersOfSet, type TunedLayers } from '../../network/tuned-layers.ts';
import { openHead, type OpenedHead } from './head-files.ts';

/** A head file that carries the layers of a tuned network. */
export interface TunedFile extends OpenedHead {
  readonly tuned: TunedLayers;
}

/** Opens the file of a tuned network. Throws OPTION_INVALID for a head without layers, and what openHead throws. */
export async function openTunedFile(file: string): Promise<TunedFile> {
  const opened = await openHead(file);
  const { tuned } = opened;
  if (tuned !== undefined) return { ...opened, tuned };
  throw new PermafrostError(
    'OPTION_INVALID',
    `${file} is a head on features of a network, and carries no tuned layers. Give a file that "permafrost finetune" wrote.`,
  );
}

async function layersOfFile(file: string, settings: FeatureSettings): Promise<TunedLayers> {
  const { document, tuned } = await openTunedFile(file);
  if (document.settings.weights === settings.weights) return tuned;
  throw new PermafrostError(
    'FINGERPRINT_MISMATCH',
    `${file} holds another tuned network (weights ${document.settings.weights}) than the one whose features are read (${settings.weights}). Give the file of that one.`,
  );
}

/** The layers of the tuned network of these settings that a store keeps beside its features. Throws STORE_CORRUPT. */
async function layersInStore(path: string, { weights }: FeatureSettings): Promise<TunedLayers | undefined> {
  const manifest = await findManifest(path);
  const set = manifest?.sets.find(({ settings, tuned }) => tuned !== undefined && settings.weights === weights);
  return set && layersOfSet(path, set);
}

/**
 * The changed layers of the tuned network whose features a head reads: its own; those of `file`, the file of a tuned
 * network, where one is named; or those that the head's store keeps. Undefined for a head on features of plain weights.
 * Throws WEIGHTS_NOT_FOUND where there are none, FINGERPRINT_MISMATCH for a file of another network.
 */
export async function layersOfHead(
  { document: { settings }, tuned, store }: OpenedHead,
  file: string,
): Promise<TunedLayers | undefined> {
  if (file !== '') return layersOfFile(file, settings);
  const found = tuned ?? (await layersInStore(store, settings));
  if (found !== undefined || settings.tail === undefined) return found;
  throw new PermafrostError(
    'WEIGHTS_NOT_FOUND',
    `The head reads features of a tuned network (its layers from ${settings.tail.from} on were changed), whose layers neither its file nor the store at ${store} holds. Give the file of the tuned network: --backbone-file FILE.`,
  );
}

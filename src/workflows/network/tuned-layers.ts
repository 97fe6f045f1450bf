import { PermafrostError, type ErrorCode } from '../../core/errors.ts';
import type { BackboneWeights } from '../../extract/backbones/backbone.ts';
import { requireLayerBackbone } from '../../extract/backbones/layer-backbones.ts';
import type { LoadedWeights } from '../../extract/weights/load-weights.ts';
import { layerBefore, problemOfLayers, withLayers } from '../../extract/weights/tuned-weights.ts';
import type { FeatureSettings } from '../../store/format/fingerprint.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import { readLayers, type LayerTensors } from '../../store/read/layers-file.ts';

/** What makes a fine-tuned network of the weights that it began with. */
export interface TunedLayers {
  /** The file that they are from, for messages, and the code of damage in it. */
  readonly source: { readonly name: string; readonly code: ErrorCode };
  /** Digest of the weights that it began with. */
  readonly base: string;
  /** The changed layers. */
  readonly layers: LayerTensors;
}

/** What of a tuned network's settings says which layers it changed. */
type TunedSettings = Pick<FeatureSettings, 'backbone' | 'tail'>;

/** The first changed layer of a tuned network: all of them are, where no tail runs by itself. */
export const firstChanged = ({ backbone, tail }: TunedSettings): string =>
  tail?.from ?? requireLayerBackbone(backbone, 'A tuned network').layers[0]!.name;

/** Throws, under the code of their source, where layers are not those of a network with these settings. */
export function requireLayers({ source, layers }: TunedLayers, settings: TunedSettings): void {
  const { tail } = settings;
  const backbone = requireLayerBackbone(settings.backbone, 'A tuned network');
  const problem =
    tail !== undefined && layerBefore(backbone, tail.from) === undefined
      ? `no layer of ${backbone.name} comes before ${JSON.stringify(tail.from)}`
      : problemOfLayers(backbone, firstChanged(settings), layers);
  if (problem === undefined) return;
  throw new PermafrostError(
    source.code,
    `${source.name} does not hold the layers of a tuned network: ${problem}. Restore it, or tune again.`,
  );
}

/**
 * The weights of a tuned network with these settings. Throws WEIGHTS_MISMATCH where `base` is not what it began with,
 * and the code of the layers' source where they do not make it.
 */
export function tunedWeights(
  base: LoadedWeights,
  tuned: TunedLayers,
  settings: TunedSettings & Pick<FeatureSettings, 'weights'>,
): BackboneWeights {
  const { source } = tuned;
  if (base.digest !== tuned.base) {
    throw new PermafrostError(
      'WEIGHTS_MISMATCH',
      `The tuned network of ${source.name} began with weights of the digest ${tuned.base}, and ${base.source} has ${base.digest}. Give the weights file that it began with: --weights FILE.`,
    );
  }
  requireLayers(tuned, settings);
  const weights = withLayers(base, tuned.layers);
  if (weights.digest === settings.weights) return weights;
  throw new PermafrostError(
    source.code,
    `${source.name} holds other layers than its settings name: the network has the digest ${weights.digest}, not ${settings.weights}. Restore it, or tune again.`,
  );
}

/** The tuned layers of a set of a store; undefined for features of plain weights. Throws STORE_CORRUPT. */
export async function layersOfSet(store: string, { tuned }: FeatureSet): Promise<TunedLayers | undefined> {
  if (tuned === undefined) return undefined;
  const source = { name: `${store}/${tuned.layers.name}`, code: 'STORE_CORRUPT' } as const;
  return { source, base: tuned.base, layers: await readLayers(store, tuned.layers) };
}

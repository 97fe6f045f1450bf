import { join, resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import { fittedLinear } from '../../classify/heads/linear.ts';
import type { FittedHead } from '../../classify/head.ts';
import { MAP_POOLINGS } from '../../extract/backbones/cut-layers.ts';
import type { BackboneWeights, LayerBackbone } from '../../extract/backbones/backbone.ts';
import { expectedTensors } from '../../extract/weights/fit-weights.ts';
import { layerBefore, layersFrom, withLayers } from '../../extract/weights/tuned-weights.ts';
import type { FeatureSettings } from '../../store/format/fingerprint.ts';
import type { Store } from '../../store/open.ts';
import type { ProbeImages } from '../../store/read/heads/probe-images.ts';
import type { LayerTensors } from '../../store/read/layers-file.ts';
import { extractTunedOfStore, tunedFeaturesOf } from '../extract/extract-tuned.ts';
import { EXTRACT_DEFAULTS } from '../extract/options.ts';
import { cutsText } from '../network/cuts.ts';
import { openTail, TAIL_ENGINE } from '../network/tail.ts';
import { saveHead } from '../train/files/head-files.ts';
import { makeProbes } from '../train/files/make-probes.ts';
import { PROBE_OPTION } from '../train/options.ts';
import type { Work } from '../work.ts';
import type { KeepTunedOptions, KeptTuned, TunedNetwork } from './tuned-network.ts';

/** The changed layers with their shapes. Throws OPTION_INVALID where training left one out. */
function layersOf({ backbone, arrays, from }: TunedNetwork): LayerTensors {
  const expected = expectedTensors({ ...backbone, layers: layersFrom(backbone, from) });
  return new Map(expected.map(({ name, shape }) => [name, { shape, data: arrayOf(arrays, name) }]));
}

function arrayOf(arrays: TunedNetwork['arrays'], name: string): Float32Array {
  const found = arrays.get(name);
  if (found !== undefined) return found;
  throw new PermafrostError('OPTION_INVALID', `A tuned network lacks the array ${name}. Give all that was trained.`);
}

const lastOf = ({ layers }: LayerBackbone): string => layers.at(-1)!.name;

/** The settings of a tuned network's features. Throws OPTION_INVALID where it was trained on other activations. */
function settingsOf({ backbone, from, cut, base, contract }: TunedNetwork, weights: string): FeatureSettings {
  const before = layerBefore(backbone, from);
  const common = { backbone: backbone.name, weights, cut: lastOf(backbone), contract };
  if (before === undefined) return { ...common, dtype: 'float16', engineClass: TAIL_ENGINE };
  const on = cut?.settings;
  if (on?.cut !== before || on.weights !== base.digest || on.view !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `A network that is tuned from ${from} on was trained on activations of ${before} by its base weights, got ${on === undefined ? 'none' : `${on.cut} by ${on.weights}`}.`,
    );
  }
  const { dtype, engineClass, calibration } = on;
  const tail = { from, maps: dtype, engineClass: TAIL_ENGINE };
  return { ...common, dtype, engineClass, ...(calibration !== undefined && { calibration }), tail };
}

/** The dense layer as a head: that of Keras, trained with Adam. */
function headOf({ arrays, classes, recipe, epochs, learningCurve, notes }: TunedNetwork): FittedHead {
  const [kernel, bias] = [arrayOf(arrays, 'head/kernel'), arrayOf(arrays, 'head/bias')];
  const features = kernel.length / classes.length;
  const facts = {
    name: 'softmax',
    params: { ...recipe },
    classes: [...classes],
    features,
    converged: true,
    iterations: epochs,
    ...(learningCurve && { learningCurve }),
    notes: [...notes],
  };
  return fittedLinear(facts, matrix(features, classes.length, Float32Array.from(kernel)), Float32Array.from(bias));
}

/**
 * Probe images whose features the tuned layers make of stored activations; undefined where all layers were trained:
 * there are none, and what such a network runs in is on every machine.
 */
async function probesThrough(
  store: Store,
  { backbone, cut, from, contract, head: { pooling } }: TunedNetwork,
  weights: BackboneWeights,
  trained: Parameters<typeof makeProbes>[1],
  work: Work,
): Promise<ProbeImages | undefined> {
  if (cut === undefined) return undefined;
  const maps = store.parts([{ cut: cut.settings.cut, pooling: 'flatten' }]);
  const tail = await openTail(backbone, weights, { from }, contract.size, [pooling]);
  try {
    const through = async (features: Matrix): Promise<Matrix> => (await tail.run(features))[0]!;
    return await makeProbes(store, trained, maps, { wanted: PROBE_OPTION.default, through }, work);
  } finally {
    await tail.dispose();
  }
}

/**
 * Keeps a tuned network: as a head file that carries its layers and, unless `features` is false, by its features of the
 * stored images, for which it locks the store. Throws OPTION_INVALID for what is no whole network, STORE_WRITE,
 * STORE_LOCKED, and what extraction throws: the file is kept then.
 */
export async function keepTuned(
  store: Store,
  network: TunedNetwork,
  { out = '', features = true }: KeepTunedOptions = {},
  work: Work = {},
): Promise<KeptTuned> {
  const { from, base, cut, recipe, images, contents, relabelled } = network;
  const layers = layersOf(network);
  const weights = withLayers(base, layers);
  const settings = settingsOf(network, weights.digest);
  const head = headOf(network);
  const { pooling, norm } = network.head;
  const file =
    out === '' ? join(store.path, 'heads', `tuned-${from}-${weights.digest.slice(0, 8)}.safetensors`) : resolve(out);
  const normalizer = { kind: norm, features: head.features } as const;
  const saved = {
    head,
    normalizer,
    parts: [{ cut: settings.cut, pooling, width: head.features }],
    result: { trained: images },
    contents,
    probes: await probesThrough(store, network, weights, { head, normalizer }, work),
    ...(relabelled && { relabelled }),
    tuned: { base: base.digest, recipe, layers },
  };
  await saveHead(file, saved, { settings, quantization: cut?.quantization }, store.path);
  if (!features) return { file, fingerprint: undefined };
  const poolings = MAP_POOLINGS.filter((one) => one !== 'flatten' || pooling === 'flatten');
  const options = { ...EXTRACT_DEFAULTS, cut: cutsText([{ cut: settings.cut, poolings }]), minCosine: -1 };
  const { tuned } = await extractTunedOfStore(store.path, await tunedFeaturesOf(file), options, work);
  return { file, fingerprint: tuned!.fingerprint };
}

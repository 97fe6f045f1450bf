import { PermafrostError } from '../../core/errors.ts';
import { calibrate } from '../../extract/calibrate.ts';
import { decodedImages } from '../../extract/image/decoded-images.ts';
import type { ExportOnnxResult } from '../../results/export-result.ts';
import { headNetworks } from '../../store/read/heads/head-file.ts';
import { CALIBRATION_IMAGES } from '../network/calibration.ts';
import { layersOfHead } from '../train/files/tuned-files.ts';
import type { OpenedHead } from '../train/files/head-files.ts';
import type { Work } from '../work.ts';
import { trainImages } from './check-images.ts';
import { exportedNetwork, type ExportedNetwork, type NetworkRequest } from './exported-network.ts';
import type { ExportOnnxOptions } from './options.ts';

export type Precision = ExportOnnxResult['precision'];

/** Throws OPTION_INVALID where networks look at one picture in two ways. */
function requireOneLook(networks: readonly ExportedNetwork[]): void {
  const looks = networks.map(({ reference: { contract } }) => `${contract.orientation} ${contract.alpha}`);
  const other = looks.findIndex((look) => look !== looks[0]);
  if (other === -1) return;
  const [a, b] = [networks[0]!, networks[other]!].map(({ reference: { contract } }) => contract);
  throw new PermafrostError(
    'OPTION_INVALID',
    `The networks of this head take one picture in two ways: ${a!.name} with orientation ${a!.orientation} and alpha ${a!.alpha}, ${b!.name} with ${b!.orientation} and ${b!.alpha}. A file has one input. Train the head on networks of one way.`,
  );
}

/** Calibrates on training images of the head's store. */
const calibrateOnStore =
  (opened: OpenedHead, threads: number, { signal, listener }: Work): NetworkRequest['calibrate'] =>
  async (target) => {
    const { root, samples } = await trainImages(opened);
    const wanted = { root, samples, contract: target.contract, count: CALIBRATION_IMAGES, signal };
    const images = await decodedImages(wanted);
    listener?.note?.(`int8 is calibrated on ${images.length} training images.`);
    return calibrate(target, images, { threads });
  };

/**
 * The networks of a head, opened one after the other; all are closed where one does not open. Throws OPTION_INVALID for
 * networks that look at one picture in two ways, and what exportedNetwork throws.
 */
export async function openNetworks(
  opened: OpenedHead,
  options: ExportOnnxOptions,
  precision: Precision,
  work: Work,
): Promise<ExportedNetwork[]> {
  const { threads, weights, backboneFile } = options;
  const tuned = await layersOfHead(opened, backboneFile);
  const request = {
    precision: precision === 'int8' ? 'int8' : 'fp32',
    threads,
    calibrate: calibrateOnStore(opened, threads, work),
  } as const;
  const networks: ExportedNetwork[] = [];
  try {
    for (const [i, network] of headNetworks(opened.document).entries()) {
      const own = { ...request, weights: i === 0 ? weights : '', tuned: i === 0 ? tuned : undefined };
      networks.push(await exportedNetwork(network, own, work.listener));
    }
    requireOneLook(networks);
    return networks;
  } catch (error) {
    await closeAll(networks);
    throw error;
  }
}

/** Frees all of their memory. */
export async function closeAll(networks: readonly ExportedNetwork[]): Promise<void> {
  for (const { reference } of networks) await reference.executable.dispose();
}

import { VERSION } from '../version.ts';
import type { OpenedHead } from '../train/files/head-files.ts';
import type { ExportCheck, ExportOnnxResult } from '../../results/export-result.ts';
import type { ExportedNetwork } from './exported-network.ts';

/** What is told of a file inside it. */
export interface MetadataFacts {
  readonly head: { readonly file: string; readonly sha256: string };
  readonly precision: ExportOnnxResult['precision'];
  /** Null: unchecked. */
  readonly check: ExportCheck | null;
}

/** How the check went, without the places where its images lie. */
function checkFacts(check: ExportCheck | null): unknown {
  if (check === null) return null;
  const { split, runtimes, maxDifference, minAgreement } = check;
  return {
    ...(split !== null && { split }),
    allowed: { maxDifference, minAgreement },
    runtimes: runtimes.map(({ runtime, images, sameClass, largestDifference }) => ({
      runtime,
      images,
      sameClass,
      largestDifference,
    })),
  };
}

/**
 * The metadata of an exported file, texts by key: `names`, `task`, `imgsz` and `channels` as Ultralytics' tools read
 * them; `class_names`, the classes as a JSON array; `Image.…` of ONNX' MetadataProps.md; and `permafrost`, all that
 * makes the answers, as JSON.
 */
export function exportMetadata(
  { head, document, reject }: OpenedHead,
  networks: readonly ExportedNetwork[],
  { head: file, precision, check }: MetadataFacts,
): Readonly<Record<string, string>> {
  const { classes, name, params, features, temperature } = head;
  const [{ reference: first }] = networks as readonly [ExportedNetwork];
  const facts = {
    permafrost: VERSION,
    head: { name, params, ...file },
    classes,
    width: features,
    networks: networks.map(({ reference, parts }) => ({
      backbone: reference.network.backbone.name,
      weights: reference.sets[0].settings.weights,
      contract: reference.contract,
      parts: parts.map(({ cut, pooling, at, width }) => ({ cut, pooling, at, width })),
    })),
    normalize: document.normalizer.kind,
    temperature: temperature ?? null,
    trainedWith: document.settings.engineClass,
    trainedOn: document.trained.images,
    unknown: reject === undefined ? null : { measure: reject.measure, threshold: reject.threshold, rate: reject.rate },
    precision,
    check: checkFacts(check),
  };
  const { size } = first.contract;
  return {
    task: 'classify',
    names: JSON.stringify(Object.fromEntries(classes.entries())),
    class_names: JSON.stringify(classes),
    imgsz: JSON.stringify([size, size]),
    channels: '3',
    'Image.BitmapPixelFormat': 'Rgb8',
    'Image.ColorSpaceGamma': 'SRGB',
    'Image.NominalPixelRange': 'NominalRange_0_255',
    permafrost: JSON.stringify(facts),
  };
}

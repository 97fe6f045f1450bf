import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import type { ExportBounds, ExportCheck, ExportOnnxResult } from '../../results/export-result.ts';
import { requireFolderOf, writeOutput } from '../../store/format/atomic-file.ts';
import { openHead, type OpenedHead } from '../train/files/head-files.ts';
import type { Work } from '../work.ts';
import { checkImages, type CheckImages } from './check-images.ts';
import { checkModel } from './check-model.ts';
import { exportedModel, type ExportedModel } from './exported-model.ts';
import type { ExportedNetwork } from './exported-network.ts';
import { fileRuntimes } from './file-runtimes.ts';
import { exportMetadata } from './metadata.ts';
import { closeAll, openNetworks, type Precision } from './open-networks.ts';
import { EXPORT_ONNX_OPTIONS, type ExportOnnxOptions } from './options.ts';

/** An ONNX file is one message of protobuf, which has less than so many bytes. */
const MOST_BYTES = 2 ** 31 - 1;

function precisionOf({ int8, fp16 }: ExportOnnxOptions): Precision {
  if (int8 && fp16)
    throw new PermafrostError('OPTION_INVALID', 'export: --int8 and --fp16 are two precisions. Give one.');
  return int8 ? 'int8' : fp16 ? 'fp16' : 'fp32';
}

/** What a probability may be off by default: in the precision of the head's features, and in another one. */
const BOUNDS = { same: 1e-3, fp16: 0.01, int8: 0.1 } as const;

function boundsOf(
  { maxDifference, minAgreement }: ExportOnnxOptions,
  precision: Precision,
  networks: readonly ExportedNetwork[],
): ExportBounds {
  if (maxDifference > 0) return { maxDifference, minAgreement };
  const precisions = [precision, ...networks.map(({ referencePrecision }) => referencePrecision)];
  const isSame = precisions.every((one) => one === precisions[0]);
  return { maxDifference: BOUNDS[isSame ? 'same' : precisions.includes('int8') ? 'int8' : 'fp16'], minAgreement };
}

/** Throws PRECISION_LOSS where the file does not answer as permafrost does. */
function requireAgreement({ on, runtimes, maxDifference, minAgreement }: ExportCheck): void {
  for (const { runtime, images, sameClass, largestDifference, worst } of runtimes) {
    if (sameClass >= minAgreement * images && largestDifference <= maxDifference) continue;
    throw new PermafrostError(
      'PRECISION_LOSS',
      `The file does not answer as permafrost does: in ${runtime}, on ${images} images of ${on}, ${images - sameClass} get another class, and a probability is up to ${largestDifference.toExponential(1)} off (${worst}); ` +
        `expected ${minAgreement === 1 ? 'the same class for all' : `the same class for ${100 * minAgreement} %`} and at most ${maxDifference}. Nothing was written. Allow more with --max-difference and --min-agreement, or take another precision.`,
    );
  }
}

/** What is worth knowing of a file that is another than the head in something, though its answers agree. */
function notesOf({ head, document }: OpenedHead, networks: readonly ExportedNetwork[]): string[] {
  const { engineClass } = document.settings;
  const compared = `onnxruntime/cpu/${networks[0]!.referencePrecision}`;
  return [
    ...(head.name === 'knn-hnsw' || String(head.params.members ?? '').includes('knn-hnsw')
      ? ['The neighbours of knn-hnsw are searched exactly in the file, and approximately in permafrost.']
      : []),
    ...(engineClass === compared
      ? []
      : [`The head was trained on features of ${engineClass}; the file is compared with ${compared}.`]),
  ];
}

interface CheckRequest {
  readonly images: CheckImages;
  readonly precision: Precision;
  readonly options: ExportOnnxOptions;
}

async function checked(
  { bytes, outputs }: ExportedModel,
  opened: OpenedHead,
  networks: readonly ExportedNetwork[],
  { images, precision, options }: CheckRequest,
  work: Work,
): Promise<ExportCheck> {
  const { threads, runtime } = options;
  const runtimes = await fileRuntimes({ bytes, outputs, threads }, runtime, work.listener);
  try {
    const found = await checkModel(runtimes, opened, networks, images, work);
    return { ...found, ...boundsOf(options, precision, networks) };
  } finally {
    for (const one of runtimes) await one.dispose();
  }
}

/**
 * Writes a head as ONE ONNX file, from the pixels of an image of any size to probabilities, and checks it: it is run on
 * the validated images, and written only where it answers as permafrost does. Throws OPTION_INVALID for a head that
 * cannot be written, naming it and the reason, and where there is nothing to check on; PRECISION_LOSS where the answers
 * differ; HEAD_CORRUPT, BACKBONE_INVALID, FINGERPRINT_MISMATCH, STORE_WRITE, INTERRUPTED.
 */
export async function exportOnnx(
  headFile: string,
  given: Partial<ExportOnnxOptions>,
  work: Work = {},
): Promise<ExportOnnxResult> {
  const options = resolveOptions('export --onnx', EXPORT_ONNX_OPTIONS, given);
  const { onnx: file } = options;
  if (file === '')
    throw new PermafrostError('OPTION_INVALID', 'export: no ONNX file is named. Give --onnx FILE, such as head.onnx.');
  const precision = precisionOf(options);
  if (options.unchecked && options.check !== '')
    throw new PermafrostError('OPTION_INVALID', 'export: --check names images and --unchecked takes none. Give one.');
  requireFolderOf(file);
  const opened = await openHead(headFile);
  const images = options.unchecked ? undefined : await checkImages(opened, options.check, options.checkImages);
  const networks = await openNetworks(opened, options, precision, work);
  try {
    const head = { file: headFile.replace(/^.*[/\\]/, ''), sha256: sha256Hex(await readFile(headFile)) };
    const write = (check: ExportCheck | null) =>
      exportedModel(opened, networks, {
        metadata: exportMetadata(opened, networks, { head, precision, check }),
        fp16: precision === 'fp16',
      });
    const draft = await write(null);
    if (draft.bytes.length > MOST_BYTES)
      throw new PermafrostError(
        'OPTION_INVALID',
        `The file would have ${draft.bytes.length} bytes, and an ONNX file has at most ${MOST_BYTES}. Take --fp16 or --int8, or a smaller network.`,
      );
    const check =
      images === undefined ? null : await checked(draft, opened, networks, { images, precision, options }, work);
    if (check !== null) requireAgreement(check);
    const { bytes, outputs, opset, domains } = check === null ? draft : await write(check);
    const written = await writeOutput(resolve(file), [bytes]);
    const { name, classes } = opened.head;
    return {
      file: resolve(file),
      ...written,
      head: { file: resolve(headFile), name, classes },
      precision,
      opset,
      domains,
      input: 'image',
      outputs,
      check,
      notes: notesOf(opened, networks),
    };
  } finally {
    await closeAll(networks);
  }
}

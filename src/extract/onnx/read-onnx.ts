import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readWhole } from '../../core/files/read-file.ts';
import { MOST_BYTES, TOO_LARGE, withExternalData } from './wire/external-data.ts';
import { foreignFormat } from './wire/foreign-format.ts';
import type { OnnxFile } from '../backbones/onnx-file.ts';
import { parseModel } from './wire/parse-model.ts';

/** The oldest operators that runtimes still have all of, and those that they all know by now. */
const OPSETS = { oldest: 7, advised: 17 } as const;

const invalid = (message: string): never => {
  throw new PermafrostError('BACKBONE_INVALID', message);
};

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return invalid(`${path} is no file. Give the path of an ONNX file, such as model.onnx.`);
    if (facts.size > MOST_BYTES) return invalid(`${path} has ${facts.size} bytes: ${TOO_LARGE}.`);
    return await readWhole(path);
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'BACKBONE_NOT_FOUND',
      `The network ${path} cannot be read: ${reasonOf(cause)}. Give the path of an ONNX file.`,
      { cause },
    );
  }
}

function checkOpset(path: string, opsets: ReadonlyMap<string, number>): void {
  const opset = opsets.get('');
  if (opset !== undefined && opset >= OPSETS.oldest) return;
  invalid(
    `${path} is written in ${opset === undefined ? 'no version' : `version ${opset}`} of ONNX's operators, expected ${OPSETS.oldest} or later, ` +
      `of which runtimes have all. Export it again with opset ${OPSETS.advised}, or convert it with onnx.version_converter.`,
  );
}

/**
 * Reads an ONNX file at the wire level: what a graph is cut by is decoded, all else kept as bytes. External values are
 * read from the folder of the model alone. Throws BACKBONE_NOT_FOUND; BACKBONE_INVALID for what is no ONNX model, is
 * damaged, older than opset 7, or of 2 GiB and more, in time and memory that the length of the file bounds.
 */
export async function readOnnxFile(path: string): Promise<OnnxFile> {
  const bytes = await bytesOf(path);
  const fail = (found: string): never => {
    const foreign = foreignFormat(bytes, path);
    return invalid(
      foreign === undefined
        ? `${path} is not an ONNX model that can be run: found ${found}. Restore it from where it came from, or export it again.`
        : `${path} is not an ONNX model, but ${foreign}.`,
    );
  };
  const { initializers: parsed, ...model } = parseModel(bytes, fail);
  checkOpset(path, model.opsets);
  const initializers = await withExternalData(path, bytes.length, parsed.values(), fail);
  const hash = createHash('sha256').update(bytes);
  for (const { external } of initializers.values()) if (external !== undefined) hash.update(external);
  return { ...model, path, digest: hash.digest('hex'), initializers };
}

import { few, PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { OnnxFile } from '../../backbones/onnx-file.ts';
import type { CutGraph } from '../cut-graph.ts';
import { inputInWords, type ImageInput } from '../image-input.ts';

/** Domains whose operators ONNX Runtime has. */
const KNOWN_DOMAINS = new Set(['', 'ai.onnx.ml', 'ai.onnx.preview.training', 'com.microsoft', 'com.microsoft.nchwc', 'com.ms.internal.nhwc']); // prettier-ignore

/** The advice for files that are newer than the runtime. */
const AGAIN = 'Export it again with opset 17 (IR version 8), which runtimes have known for years';

const invalid = (message: string, cause?: unknown): PermafrostError =>
  new PermafrostError('BACKBONE_INVALID', message, { cause });

/** Throws BACKBONE_INVALID where a part of a file has operators that only its maker has, naming them. */
export function requireKnownOperators(file: OnnxFile, { nodes }: CutGraph): void {
  const own = new Set(file.functions.map(({ domain, name }) => `${domain}::${name}`));
  const foreign = nodes.filter(({ domain, op }) => !KNOWN_DOMAINS.has(domain) && !own.has(`${domain}::${op}`));
  if (foreign.length === 0) return;
  const names = [...new Set(foreign.map(({ domain, op }) => `${op} of the domain ${domain}`))];
  throw invalid(
    `${file.path} needs operators that are in no runtime: ${few(names)}. Export it with the standard's operators, or cut it before them.`,
  );
}

/** Throws BACKBONE_INVALID where the file fixes another size than the contract's, stating both. */
export function requireSize({ path }: OnnxFile, { name, height, width }: ImageInput, size: number): void {
  if ((height ?? size) === size && (width ?? size) === size) return;
  throw invalid(
    `${path} takes images of ${height ?? 'any'} x ${width ?? 'any'} pixels (height x width) at its input "${name}", the contract gives ${size} x ${size}. ` +
      `Take a contract of the file's size; only squares can be given.`,
  );
}

/** What ONNX Runtime said as it refused a model, with what to do. */
export function refused({ path }: OnnxFile, error: unknown): PermafrostError {
  const said = reasonOf(error);
  const ir = /IR version:? (\d+), max supported IR version:? (\d+)/i.exec(said);
  if (ir) {
    return invalid(`${path} is of IR version ${ir[1]}, and this ONNX Runtime knows ${ir[2]} at most. ${AGAIN}.`, error);
  }
  const opset =
    /opset (\d+) is under development/i.exec(said) ?? /Opset (\d+) .*not supported|No opset.*version (\d+)/i.exec(said);
  if (opset) {
    return invalid(
      `${path} is of opset ${opset[1] ?? opset[2]}, which this ONNX Runtime does not know. ${AGAIN}.`,
      error,
    );
  }
  return invalid(`${path} is not an ONNX model that can be run: ${said}.`, error);
}

/** What ONNX Runtime said as it failed on one image. */
export function failed(file: OnnxFile, input: ImageInput, size: number, error: unknown): PermafrostError {
  const declared = file.inputs.find(({ name }) => name === input.name)!;
  const why =
    (input.declaredBatch ?? 1) > 1
      ? `It was exported for ${input.declaredBatch} images at a time, and fails with as many too: export it again for one, or for any number`
      : `Expected is a network that takes one image of ${size} x ${size} pixels: see whether that is its size`;
  return invalid(
    `${file.path} fails on one grey image of ${size} x ${size} pixels at its input ${inputInWords(declared)}: ${reasonOf(error)}. ${why}.`,
    error,
  );
}
